"""transformers' masked language model for tests/golden_masked.rs: python tests/golden/masked.py

Written with PyTorch 2.15, transformers 5.23, seed 0. Random weights, small sizes; the table of words is tied.
"""

import torch
from transformers import DistilBertConfig, DistilBertForMaskedLM

from fixture import Fixture, randomise

f = Fixture("masked")
model = randomise(DistilBertForMaskedLM(DistilBertConfig(
    vocab_size=23, max_position_embeddings=12, dim=16, n_layers=2, n_heads=4, hidden_dim=24, dropout=0.0,
    attention_dropout=0.0, attn_implementation="eager", initializer_range=0.2, tie_word_embeddings=True))).train()
state = model.state_dict()
assert torch.equal(state.pop("vocab_projector.weight"), state["distilbert.embeddings.word_embeddings.weight"])
f.put("lm", "param", state)
# From 1: token 0 is [PAD], whose row torch's nn.Embedding(padding_idx=0) never trains as an input.
ids = torch.randint(1, 23, (3, 9))
mask = (torch.arange(9) < torch.tensor([9, 4, 6])[:, None]).long()
logits = lambda ids, mask: model(input_ids=ids, attention_mask=mask).logits * mask[..., None]
f.module("lm", model, {"ids": ids, "mask": mask}, (), logits, params=False)
f.save()
