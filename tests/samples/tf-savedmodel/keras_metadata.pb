
Aroot.layer-0"_tf_keras_model*{"class_name": "Sequential"}2
èroot.layer-1"_tf_keras_layer*h{"class_name": "Lambda", "name": "lambda", "config": {"name": "lambda", "function": ["4wEAAAA=", null]}}2