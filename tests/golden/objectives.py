"""Three objectives and fine-tuning in PyTorch for tests/golden_objectives.rs: python tests/golden/objectives.py

Written with PyTorch 2.15, transformers 5.23, seed 0. A small ResNet with a small GPT-2 that writes captions (the picture's vector in
the place of the first token), the same with a layer that predicts the bag of words, and the same with a linear head and a
classifier over unit embeddings: losses, the scores of labels, the gradient of every parameter.
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from encoders import basic
from fixture import Fixture, randomise

V, D = 84, 16  # as many tokens as Tokenizer::from_words(&[]) has
SPECIAL = 5  # [PAD] [UNK] [CLS] [SEP] [MASK]
CLS, SEP = 2, 3


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = basic("small")

    def forward(self, x):
        return self.model(pixel_values=x).pooler_output.flatten(1)


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        config = GPT2Config(vocab_size=V, n_positions=16, n_embd=D, n_layer=1, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
                            attn_pdrop=0.0, initializer_range=0.2, attn_implementation="eager")
        self.image_encoder = Encoder()
        self.picture = nn.Linear(10, D)
        self.decoder = randomise(GPT2LMHeadModel(config))

    def forward(self, x, ids, mask):
        words = self.decoder.transformer.wte(ids)
        words = torch.cat([self.picture(self.image_encoder(x))[:, None], words[:, 1:]], 1)
        return self.decoder(inputs_embeds=words, attention_mask=mask).logits

    def loss(self, x, ids, mask):
        targets = ids.masked_fill(mask == 0, -100)[:, 1:]
        return F.cross_entropy(self(x, ids, mask)[:, :-1].flatten(0, 1), targets.flatten())

    def likelihoods(self, x, texts):
        """ln P of each text (the ids after [CLS]) given each picture: (b, c)."""
        columns = []
        for text in texts:
            ids = torch.tensor([CLS, *text]).expand(len(x), -1)
            logits = self(x, ids, torch.ones_like(ids)).log_softmax(-1)
            columns.append(logits[:, :-1].gather(2, ids[:, 1:, None]).sum((1, 2)))
        return torch.stack(columns, 1)


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.image_encoder = Encoder()
        self.words = nn.Linear(10, V)

    def forward(self, x):
        return self.words(self.image_encoder(x)).log_softmax(-1)

    def loss(self, x, ids):
        chances, losses = self(x), []
        for row, chance in zip(ids.tolist(), chances):
            words = sorted({word for word in row if word >= SPECIAL})
            losses.append(-chance[words].mean())
        return torch.stack(losses).mean()


class FineTuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.image_encoder = Encoder()
        self.image_projection = nn.Module()
        self.image_projection.projection = nn.Linear(10, 8, bias=False)
        self.weight = nn.Parameter(3.0 * F.normalize(torch.randn(4, 8)))

    def forward(self, x):
        return F.normalize(self.image_projection.projection(self.image_encoder(x))) @ self.weight.T


def texts(b, t):
    """[CLS] words [SEP], padded; a word twice in the first."""
    ids = torch.zeros(b, t, dtype=torch.long)
    for row, length in enumerate([t, 4, 5][:b]):
        ids[row, :length] = torch.cat([torch.tensor([CLS]), torch.randint(SPECIAL, V, (length - 2,)), torch.tensor([SEP])])
    ids[0, 2] = ids[0, 1]
    return ids, (ids > 0).long()


def record(case, model, loss):
    model.train()
    model.zero_grad()
    f.put(case, "param", model.state_dict())
    value = loss()
    value.backward()
    f.put(case, "out", {"loss": value})
    f.put(case, "grad", {k: p.grad for k, p in model.named_parameters()})


f = Fixture("objectives")
x = torch.randn(3, 3, 20, 20)
ids, mask = texts(3, 7)
f.put("all", "in", {"x": x, "ids": ids, "mask": mask})

captioner = Captioner()
record("caption", captioner, lambda: captioner.loss(x, ids, mask))
words = BagOfWords()
record("words", words, lambda: words.loss(x, ids))
tuned = FineTuned()
classes = torch.tensor([2, 0, 3])
f.put("tuned", "in", {"classes": classes})
record("tuned", tuned, lambda: F.cross_entropy(tuned(x), classes))

# The ids of ", ' !", ", ' ? &", ", ' ! aa", ", '" by the test's tokenizer.
labels = [[6, 7, 9, SEP], [6, 7, 10, 11, SEP], [6, 7, 9, 12, 13, SEP], [6, 7, SEP]]
captioner.eval()
words.eval()
with torch.no_grad():
    f.put("caption", "eval", {"scores": captioner.likelihoods(x, labels)})
    chances = words(x)
    bags = [[w for w in label if w >= SPECIAL] for label in labels]
    f.put("words", "eval", {"scores": torch.stack([chances[:, bag].sum(1) for bag in bags], 1)})
f.save()
