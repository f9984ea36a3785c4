#!/bin/sh
# A first look: a name, a folder, a file whose name lies, a hostile pickle.
weigh=${1:-weigh}
"$weigh" name Qwen3-30B-A3B-Instruct-2507-FP8
echo
"$weigh" try/tiny-llama-chat
echo
"$weigh" try/Nova-7B-Instruct-Q8_0.gguf
echo
for file in try/*; do "$weigh" --quiet "$file"; done
exit 0
