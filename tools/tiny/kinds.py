"""Which kinds of model run, by which engine, and which client asks a server for each: the rows that tests run over."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """`place`: a recipe of tools/tiny and what of it. `client`: a stock client and its call, or `http` and a path."""

    id: str
    place: str
    made_of: str
    engine: str
    work: str
    client: str


_ROWS = """
causal-lm  text/repository  Qwen2ForCausalLM  transformers  chat  openai:chat.completions
gguf-chat  text/model-F32.gguf  qwen2  llama.cpp  chat  ollama:chat
gguf-prompt  text/model-F32.gguf  qwen2  llama.cpp  complete  ollama:generate
seq2seq  seq2seq/t5  T5ForConditionalGeneration  transformers  complete  openai:completions
onnx-text  onnx/writer  Qwen2ForCausalLM  onnxruntime  complete  openai:completions
llava  pictured/llava  LlavaForConditionalGeneration  transformers  chat  openai:chat.completions
qwen2-vl  pictured/qwen  Qwen2VLForConditionalGeneration  transformers  chat  anthropic:messages
gguf-vlm  pictured_gguf/model-F32.gguf  qwen2vl+mmproj  llama.cpp  chat  openai:chat.completions
sentence-embedding  embedders/embedder  BertModel  sentence-transformers  embed  langchain:OpenAIEmbeddings
gguf-embedding  embedders_gguf/embedder-F32.gguf  bert  llama.cpp  embed  ollama:embed
onnx-embedding  onnx/embedder  BertModel  onnxruntime  embed  openai:embeddings
clip-embedding  seen/clip  CLIPModel  transformers  embed  openai:embeddings
rerank  embedders/reranker  BertForSequenceClassification  sentence-transformers  rerank  cohere:rerank
onnx-rerank  onnx/reranker  BertForSequenceClassification  onnxruntime  rerank  cohere:rerank
image-classification  seen/classifier  ViTForImageClassification  transformers  classify  http:/v1/classify
onnx-classification  onnx/classifier  ViTForImageClassification  onnxruntime  classify  http:/v1/classify
clip-zero-shot  seen/clip  CLIPModel  transformers  classify  http:/v1/classify
audio-classification  heard/ast  ASTForAudioClassification  transformers  classify  http:/v1/classify
yolos  seen/detector  YolosForObjectDetection  transformers  detect  http:/v1/detect
detr  seen/detr  DetrForObjectDetection  transformers  detect  http:/v1/detect
depth  seen/depth  DepthAnythingForDepthEstimation  transformers  depth  http:/v1/depth
whisper  ctranslate2/whisper  WhisperForConditionalGeneration  transformers  transcribe  openai:audio.transcriptions
faster-whisper  ctranslate2/kept  WhisperSpec  faster-whisper  transcribe  openai:audio.transcriptions
wav2vec2  heard/wav2vec2  Wav2Vec2ForCTC  transformers  transcribe  openai:audio.transcriptions
vits  heard/vits  VitsModel  transformers  speak  openai:audio.speech
speecht5  heard/speecht5  SpeechT5ForTextToSpeech  transformers  speak  openai:audio.speech
musicgen  heard/musicgen  MusicgenForConditionalGeneration  transformers  sound  http:/v1/audio/generations
stable-audio  drawn/sound  StableAudioPipeline  diffusers  sound  http:/v1/audio/generations
stable-diffusion  drawn/image  StableDiffusionPipeline  diffusers  image  openai:images.generate
image-to-image  drawn/image  StableDiffusionPipeline  diffusers  image  openai:images.edit
flux  drawn/flux  FluxPipeline  diffusers  image  openai:images.generate
wan  drawn/video  WanPipeline  diffusers  video  openai:videos
cogvideox  drawn/cogvideox  CogVideoXPipeline  diffusers  video  openai:videos
onnx-plain  onnx/plain.onnx  ONNX  onnxruntime  compute  http:/v2/models/{name}/infer
torchscript  plain/plain.pt  TorchScript  torchscript  compute  http:/v2/models/{name}/infer
"""
_STACK_ROWS = """
keras  plain/plain.keras  Keras  keras  compute  http:/v2/models/{name}/infer
keras-h5  plain/plain.h5  HDF5  keras  compute  http:/v2/models/{name}/infer
savedmodel  plain/saved  SavedModel  tensorflow  compute  http:/v2/models/{name}/infer
tflite  plain/plain.tflite  TFLite  litert  compute  http:/v2/models/{name}/infer
openvino  plain/plain.xml  OpenVINO  openvino  compute  http:/v2/models/{name}/infer
"""


def _read(lines: str) -> tuple[Kind, ...]:
    return tuple(Kind(*line.split()) for line in lines.strip().splitlines())


KINDS = _read(_ROWS)
STACK_KINDS = _read(_STACK_ROWS)  # of libraries that have an environment of their own
