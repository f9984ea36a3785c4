"""Models of random weights that hear and speak: Whisper, wav2vec2, AST, VITS, SpeechT5, MusicGen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAYING = "scales"  # without a blank, which faster-whisper keeps from a tokenizer of letters


def write(folder: Path) -> None:
    """`whisper`, `wav2vec2`, `ast`, `vits`, `speecht5` and `musicgen`, each as transformers saves it."""
    import torch

    torch.manual_seed(0)
    _whisper(folder / "whisper")
    _wav2vec2(folder / "wav2vec2")
    _vits(folder / "vits")
    _ast(folder / "ast")
    _speecht5(folder / "speecht5")
    _musicgen(folder / "musicgen")


def _teach(folder: Path) -> None:
    """Its decoder learns to write SAYING down whatever the encoder hears, with times or without."""
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so little work is not worth the second
    processor = WhisperProcessor.from_pretrained(folder)
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    own = model.generation_config
    noise = torch.rand(16000).numpy() - 0.5
    sound = processor.feature_extractor(noise, sampling_rate=16000, return_tensors="pt").input_features
    told = [torch.tensor(line) for line in _lines(processor.tokenizer)]
    with torch.no_grad():
        heard = model.model.encoder(sound).last_hidden_state.repeat(len(told), 1, 1)
    ids = torch.nn.utils.rnn.pad_sequence(told, batch_first=True, padding_value=model.config.eos_token_id)
    labels = torch.nn.utils.rnn.pad_sequence(told, batch_first=True, padding_value=-100)[:, 1:]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(600):
        logits = model(encoder_outputs=(heard,), decoder_input_ids=ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.02:
            break
    torch.set_num_threads(threads)
    own._from_model_config = False
    model.generation_config = own
    model.save_pretrained(folder)


def _lines(tokenizer: Any) -> list[list[int]]:
    """A second of it between its times, and without; after as much of a beginning as each library writes."""
    words = tokenizer(SAYING, add_special_tokens=False)["input_ids"]
    signs = "startoftranscript transcribe 0.00 1.00 notimestamps endoftext en zh".split()
    first, work, start, end, silent, last, *tongues = tokenizer.convert_tokens_to_ids([f"<|{one}|>" for one in signs])
    begins = [[first], *([first, tongue] for tongue in tongues), *([first, tongue, work] for tongue in tongues)]
    return [[*begin, *rest] for begin in begins for rest in ([start, *words, end, last], [silent, *words, last])]


def _whisper(folder: Path, *, positions: int = 64) -> None:
    from tokenizers import pre_tokenizers
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>",
               "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]  # fmt: skip
    stamps = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
    vocabulary = {token: number for number, token in enumerate([*letters, *special, *stamps])}
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[], language="en", task="transcribe")
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    start, end = vocabulary["<|startoftranscript|>"], vocabulary["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=len(vocabulary), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=80,
        max_target_positions=positions, bos_token_id=end, eos_token_id=end, pad_token_id=end,
        decoder_start_token_id=start,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    own = model.generation_config
    own._from_model_config = False  # else it is made anew from config.json, without what follows
    own.is_multilingual = True
    own.lang_to_id = {"<|en|>": vocabulary["<|en|>"], "<|zh|>": vocabulary["<|zh|>"]}
    own.task_to_id = {"transcribe": vocabulary["<|transcribe|>"], "translate": vocabulary["<|translate|>"]}
    own.no_timestamps_token_id = vocabulary["<|notimestamps|>"]
    own.max_length, own.max_initial_timestamp_index = 40, 1
    own.suppress_tokens, own.begin_suppress_tokens = [], [end]
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)


def _wav2vec2(folder: Path) -> None:
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    words = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    config = Wav2Vec2Config(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        conv_dim=[16, 16, 16], conv_stride=[5, 4, 4], conv_kernel=[10, 8, 4], num_feat_extract_layers=3,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))).save_pretrained(
        folder
    )


def _vits(folder: Path) -> None:
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    words = ["_", " ", *"abcdefghijklmnopqrstuvwxyz'"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    tokenizer = VitsTokenizer(
        str(folder / "vocab.json"), pad_token="_", unk_token="_", phonemize=False, is_uroman=False
    )
    config = VitsConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32, flow_size=16,
        spectrogram_bins=33, duration_predictor_filter_channels=16, duration_predictor_flow_bins=4,
        duration_predictor_num_flows=2, depth_separable_num_layers=2, posterior_encoder_num_wavenet_layers=2,
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2, upsample_initial_channel=32, upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], num_speakers=2,
        speaker_embedding_size=8, use_stochastic_duration_prediction=False, wavenet_kernel_size=3,
    )  # fmt: skip
    VitsModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _ast(folder: Path) -> None:
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    labels = {0: "hum", 1: "speech", 2: "bells"}
    config = ASTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_length=128,
        num_mel_bins=32, patch_size=16, initializer_range=0.5, id2label=labels,
        label2id={name: number for number, name in labels.items()},
    )  # fmt: skip
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(folder)


def _speecht5(folder: Path) -> None:
    """With its vocoder in `vocoder`; its tokenizer knows letters, where the real one needs sentencepiece."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        PreTrainedTokenizerFast,
        SpeechT5Config,
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
    )

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {token: number for number, token in enumerate([*special, "▁", *"abcdefghijklmnopqrstuvwxyz'"])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex("."), behavior="isolated")]
    )
    raw.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    config = SpeechT5Config(
        vocab_size=len(vocabulary), hidden_size=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=16,
        speech_decoder_prenet_units=16, speech_decoder_postnet_units=16, speech_decoder_postnet_layers=2,
        speaker_embedding_dim=8, max_text_positions=64, max_speech_positions=256,
    )  # fmt: skip
    model = SpeechT5ForTextToSpeech(config)
    model.speech_decoder_postnet.prob_out.bias.data.fill_(-9)  # it never ends by itself: its length is known
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    vocoder = SpeechT5HifiGanConfig(
        model_in_dim=16, sampling_rate=1600, upsample_initial_channel=16, upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
    )  # fmt: skip
    SpeechT5HifiGan(vocoder).save_pretrained(folder / "vocoder")


def _musicgen(folder: Path) -> None:
    from transformers import (
        EncodecConfig,
        EncodecFeatureExtractor,
        MusicgenConfig,
        MusicgenForConditionalGeneration,
        MusicgenProcessor,
        T5Config,
    )
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    from tools.tiny.drawn import t5_tokenizer

    text = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    sound = EncodecConfig(
        hidden_size=16, num_filters=4, codebook_size=32, codebook_dim=16, upsampling_ratios=[4, 4], num_lstm_layers=1,
        target_bandwidths=[20.0], sampling_rate=1600,
    )  # fmt: skip
    voice = MusicgenDecoderConfig(
        vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32, num_codebooks=2,
        max_position_embeddings=256, bos_token_id=32, pad_token_id=32,
    )  # fmt: skip
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=sound.to_dict(), decoder=voice.to_dict())
    model = MusicgenForConditionalGeneration(config)
    own = model.generation_config
    own.decoder_start_token_id = own.bos_token_id = own.pad_token_id = 32
    own.guidance_scale, own.max_length, own.do_sample = 3.0, 60, True
    model.save_pretrained(folder)
    MusicgenProcessor(EncodecFeatureExtractor(sampling_rate=1600), t5_tokenizer()).save_pretrained(folder)


def write_ctranslate2(folder: Path) -> None:
    """`whisper`, which has learnt SAYING, and `kept`, the same as CTranslate2 keeps it."""
    from ctranslate2.converters import TransformersConverter

    _whisper(folder / "whisper", positions=448)
    _teach(folder / "whisper")
    files = ["tokenizer.json", "tokenizer_config.json"]
    TransformersConverter(str(folder / "whisper"), copy_files=files).convert(str(folder / "kept"))
