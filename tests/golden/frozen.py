"""The slide's Frozen in PyTorch for solutions/tests/golden_frozen.rs: python tests/golden/frozen.py

Written with PyTorch 2.15, transformers 5.23, seed 0. A small ResNet and a small GPT-2 with random weights; the class, the
prefix in the place of image tokens, the loss, and one training step. The loss is computed in the slide's form, too: the prefix
in front of the text, and `num_logits_shift`.
"""

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from encoders import basic
from fixture import Fixture, randomise

V, IMAGE, N, D = 23, 22, 2, 16


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        config = GPT2Config(vocab_size=V, n_positions=16, n_embd=D, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
                            attn_pdrop=0.0, initializer_range=0.2, attn_implementation="eager")
        self.text_encoder = randomise(GPT2LMHeadModel(config))
        self.vision_encoder = basic("small")
        self.vision_proj_m = nn.Linear(10, N * D)

    def freeze_LM(self):
        for param in self.text_encoder.parameters():
            param.requires_grad = False

    def get_visual_prefix(self, image):
        outputs = self.vision_encoder(image).pooler_output
        b = outputs.shape[0]
        return self.vision_proj_m(outputs.reshape(b, -1)).reshape(b, N, D)

    def in_place(self, ids, mask, image):
        words = self.text_encoder.transformer.wte(ids)
        words = words.masked_scatter((ids == IMAGE)[..., None], self.get_visual_prefix(image))
        return self.text_encoder(inputs_embeds=words, attention_mask=mask).logits

    def in_front(self, ids, mask, image):
        words = torch.cat([self.get_visual_prefix(image), self.text_encoder.transformer.wte(ids)], 1)
        mask = torch.cat([torch.ones(len(ids), N, dtype=torch.long), mask], 1)
        return self.text_encoder(inputs_embeds=words, attention_mask=mask).logits


def cal_celoss(logits, ids, mask, num_logits_shift):
    """Logits run `num_logits_shift` places ahead of the ids; each predicts the next."""
    logits = logits[:, num_logits_shift - 1:-1]
    targets = ids.masked_fill(mask == 0, -100)
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def loss_in_place(logits, ids, mask):
    targets = ids.masked_fill((mask == 0) | (ids == IMAGE), -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())


f = Fixture("frozen")
model = Frozen()
model.freeze_LM()
text = torch.randint(1, IMAGE, (3, 6))
lengths = torch.tensor([6, 3, 5])[:, None]
text_mask = (torch.arange(6) < lengths).long()
text = text * text_mask
ids = torch.cat([torch.full((3, N), IMAGE), text], 1)
mask = torch.cat([torch.ones(3, N, dtype=torch.long), text_mask], 1)
images = torch.randn(3, 3, 20, 20)

f.put("model", "param", model.state_dict())
f.put("model", "in", {"ids": ids, "mask": mask, "text": text, "text_mask": text_mask, "images": images})
model.eval()
with torch.no_grad():
    in_place, in_front = model.in_place(ids, mask, images), model.in_front(text, text_mask, images)
    f.put("eval", "out", {"prefix": model.get_visual_prefix(images), "logits": in_place,
                          "loss": loss_in_place(in_place, ids, mask),
                          "slide": cal_celoss(in_front, text, text_mask, N)})
    assert torch.allclose(loss_in_place(in_place, ids, mask), cal_celoss(in_front, text, text_mask, N))

model.train()
optimizer = torch.optim.AdamW([{"params": model.vision_encoder.parameters(), "lr": 1e-3},
                               {"params": model.vision_proj_m.parameters(), "lr": 3e-3}], weight_decay=0.0)
loss = loss_in_place(model.in_place(ids, mask, images), ids, mask)
loss.backward()
f.put("train", "out", {"loss": loss})
f.put("train", "grad", {k: p.grad for k, p in model.named_parameters() if p.grad is not None})
optimizer.step()
f.put("train", "after", {k: v for k, v in model.state_dict().items() if not k.startswith("text_encoder.")})
f.save()
