"""transformers' Llama for tests/golden_llama.rs: python tests/golden/llama.py

Written with PyTorch 2.15, transformers 5.23, gguf 0.19, seed 0. Random weights, small sizes; large initial values, so that
greedy continuations say something. Writes llama.safetensors, the folder llama_model as save_pretrained makes it (newer form of
config.json), and llama.gguf: the same model in llama.cpp's format, as its own converter lays it out, weights of matrices in Q8_0
and, for the table, in F16, beside the values that they stand for.
"""

import json
import pathlib

import gguf
import numpy
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from fixture import Fixture, randomise
from gpt2 import places

HERE = pathlib.Path(__file__).parent
V, T, D, INSIDE, LAYERS, HEADS, SHARED = 300, 24, 32, 64, 2, 4, 2


def config(tied, **more):
    return LlamaConfig(vocab_size=V, max_position_embeddings=T, hidden_size=D, intermediate_size=INSIDE, num_hidden_layers=LAYERS,
                       num_attention_heads=HEADS, num_key_value_heads=SHARED, rms_norm_eps=1e-5, tie_word_embeddings=tied,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000.0}, initializer_range=0.15,
                       attn_implementation="eager", bos_token_id=0, eos_token_id=0, pad_token_id=0, **more)


def texts(b, t, left):
    ids = torch.randint(1, V, (b, t))
    lengths = torch.tensor([t, 3, t - 2, 1])[:b, None]
    mask = (torch.arange(t) >= t - lengths if left else torch.arange(t) < lengths).long()
    return ids * mask, mask


def forward(f, name, m):
    for case, left in (("right", False), ("left", True)):
        ids, mask = texts(4, 7, left)
        call = lambda ids, mask: m(input_ids=ids, attention_mask=mask, position_ids=places(mask)).logits * mask[..., None]
        f.module(f"{name}_{case}", m, {"ids": ids, "mask": mask}, (), call, params=False)


def from_embeddings(f, m):
    """A prefix that is no word: its gradient through the frozen model."""
    ids, mask = texts(3, 6, False)
    prefix = torch.randn(3, 2, D)
    mask = torch.cat([torch.ones(3, 2, dtype=torch.long), mask], 1)

    def call(prefix, ids, mask):
        x = torch.cat([prefix, m.model.embed_tokens(ids)], 1)
        return m(inputs_embeds=x, attention_mask=mask, position_ids=places(mask)).logits * mask[..., None]

    f.module("prefix", m, {"prefix": prefix, "ids": ids, "mask": mask}, ("prefix",), call, params=False)


def greedy(f, m):
    ids, mask = texts(4, 5, True)
    out = m.generate(input_ids=ids, attention_mask=mask, max_new_tokens=16, do_sample=False, eos_token_id=None, pad_token_id=0)
    f.put("greedy", "in", {"ids": ids, "mask": mask})
    f.put("greedy", "out", {"new": out[:, 5:]})


def tokenizer():
    """As SmolLM2's: digits stand alone, then GPT-2's words and bytes."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    inner.decoder = decoders.ByteLevel()
    lines = ["a dog on the grass, two dogs on the grass", "Question: how many dogs are there? Answer: two.",
             "it's the dog's grass; they're dogs", "the the the 2024 2025 2025"]
    inner.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=V, special_tokens=["<|endoftext|>", "<|im_start|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    theirs = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|endoftext|>", additional_special_tokens=["<|im_start|>"])
    assert len(theirs) == V, len(theirs)
    return theirs


SAMPLES = ["a dog on the grass", " two  dogs\n\non the grass!!", "it's 2025: they'RE dogs?", "naïve 犬 🐕 dogs\t",
           "the end<|endoftext|>the dog", "<|im_start|>user 42", "", "   "]


def permuted(weight, heads):
    """llama.cpp's order of a query's or key's rows: convert_hf_to_gguf.py, LlamaModel.permute."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(m, theirs):
    """Gives what its weights stand for, under transformers' names."""
    w = gguf.GGUFWriter(HERE / "llama.gguf", "llama")
    w.add_context_length(T)
    w.add_embedding_length(D)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(INSIDE)
    w.add_head_count(HEADS)
    w.add_head_count_kv(SHARED)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(1000.0)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")
    inner = json.loads(theirs.backend_tokenizer.to_str())
    tokens = [theirs.convert_ids_to_tokens(i) for i in range(V)]
    special = set(theirs.all_special_tokens)
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    w.add_token_merges([" ".join(pair) for pair in inner["model"]["merges"]])
    w.add_eos_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    stands_for = {}
    for name, value in m.state_dict().items():
        if name == "lm_head.weight":
            continue
        target = names.get_name(name, try_suffixes=(".weight",))
        kind = gguf.GGMLQuantizationType.F32
        values = value.numpy().astype(numpy.float32)
        if name == "model.embed_tokens.weight":
            kind = gguf.GGMLQuantizationType.F16
        elif values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
        heads = {"q_proj": HEADS, "k_proj": SHARED}.get(name.split(".")[-2])
        laid = permuted(values, heads) if heads else values
        data = gguf.quants.quantize(laid, kind)
        w.add_tensor(target, data, raw_dtype=kind)
        back = gguf.quants.dequantize(data, kind).reshape(values.shape)
        if heads:
            rows = back.shape[0]
            back = back.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
        stands_for[name] = torch.tensor(back)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return stands_for


if __name__ == "__main__":
    f = Fixture("llama")
    own = randomise(LlamaForCausalLM(config(False))).eval()
    f.put("own", "param", own.state_dict())
    forward(f, "own", own)
    m = randomise(LlamaForCausalLM(config(True))).eval()
    folder = HERE / "llama_model"
    m.save_pretrained(folder)
    theirs = tokenizer()
    theirs.backend_tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "samples.json").write_text(json.dumps([[s, theirs(s)["input_ids"]] for s in SAMPLES], indent=1))
    forward(f, "tied", m)
    from_embeddings(f, m)
    greedy(f, m)
    m.load_state_dict(write_gguf(m, theirs), strict=False)
    ids, mask = texts(4, 7, False)
    f.put("gguf", "in", {"ids": ids, "mask": mask})
    with torch.no_grad():
        f.put("gguf", "out", {"y": m(input_ids=ids, attention_mask=mask, position_ids=places(mask)).logits * mask[..., None]})
    f.save()
