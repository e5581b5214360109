"""transformers' CLIP for tests/golden_clip_encoders.rs: python tests/golden/clip_encoders.py

Written with PyTorch 2.15, transformers 5.23, seed 0. Random weights, small sizes: the vision transformer, CLIP's text encoder, the
bag of words (torch's own operations), and a whole CLIPModel with its logits.
"""

import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

from encoders import captions
from fixture import Fixture, randomise

# 22 is the end of a text, as 49407 is in CLIP's vocabulary: the largest id, where transformers looks for the sentence.
V, END = 23, 22
TEXT = dict(vocab_size=V, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=9, bos_token_id=0, eos_token_id=END, pad_token_id=0, attn_implementation="eager",
            initializer_range=0.2, initializer_factor=8.0)
VISION = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, image_size=24, patch_size=6,
              attn_implementation="eager", initializer_range=0.2, initializer_factor=8.0)


def ended(b, t):
    """Texts that end in END, the first one unpadded."""
    ids, mask = captions(b, t, END)
    last = mask.sum(1) - 1
    ids[torch.arange(b), last] = END
    return ids, mask


def inner(module):
    """The part that has the parameters, under the names that the published files have."""
    return getattr(module, "vision_model", getattr(module, "text_model", module))


if __name__ == "__main__":
    f = Fixture("clip_encoders")
    for act in ("quick_gelu", "gelu"):
        vision = inner(randomise(CLIPVisionModel(CLIPVisionConfig(hidden_act=act, **VISION)))).train()
        f.put(f"vit_{act}", "param", vision.state_dict())
        f.module(f"vit_{act}_case", vision, {"x": torch.randn(3, 3, 24, 24)}, ("x",),
                 lambda x: vision(pixel_values=x).pooler_output, params=False)
    text = inner(randomise(CLIPTextModel(CLIPTextConfig(hidden_act="quick_gelu", **TEXT)))).train()
    f.put("text", "param", text.state_dict())
    ids, mask = ended(4, 7)
    f.module("text_case", text, {"ids": ids, "mask": mask}, (),
             lambda ids, mask: text(input_ids=ids, attention_mask=mask).pooler_output, params=False)
    words = nn.Embedding(V, 8)
    f.put("cbow", "param", {"embeddings.word_embeddings.weight": words.weight})
    f.module("cbow_case", words, {"ids": ids, "mask": mask}, (),
             lambda ids, mask: (words(ids) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), params=False)
    model = randomise(CLIPModel(CLIPConfig(text_config=TEXT | {"hidden_act": "quick_gelu"},
                                           vision_config=VISION | {"hidden_act": "quick_gelu"}, projection_dim=12))).eval()
    ids, mask = ended(3, 7)
    x = torch.randn(2, 3, 24, 24)
    f.put("clip", "param", model.state_dict())
    f.put("clip", "in", {"x": x, "ids": ids, "mask": mask})
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=x, attention_mask=mask)
    f.put("clip", "out", {"logits": out.logits_per_image, "image": out.image_embeds, "text": out.text_embeds})
    f.save()
    print([k for k in f.tensors if k.startswith("text/param")][:6], [k for k in f.tensors if k.startswith("clip/param")][:4])
