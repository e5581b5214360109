"""PyTorch's grouped and depthwise convolutions for tests/golden_conv.rs: python tests/golden/conv.py (PyTorch 2.15, seed 0)."""

import torch
from torch import nn

from fixture import Fixture

f = Fixture("conv")
# Name: (in, out, kernel, stride, groups, padding). `double`: two outputs a channel.
cases = {
    "groups": (6, 9, 3, 1, 3, 1),
    "groups_2": (4, 6, 3, 2, 2, 1),
    "depthwise_3_1": (5, 5, 3, 1, 5, 1),
    "depthwise_3_2": (5, 5, 3, 2, 5, 1),
    "depthwise_5_1": (4, 4, 5, 1, 4, 2),
    "depthwise_5_2": (4, 4, 5, 2, 4, 2),
    "depthwise_double": (3, 6, 3, 1, 3, 1),
    "no_padding": (3, 4, 3, 2, 1, 0),
    "stride_over_kernel": (5, 4, 1, 3, 1, 0),
    "stride_3": (3, 4, 2, 3, 1, 1),
}
for case, (inp, out, k, stride, groups, padding) in cases.items():
    conv = nn.Conv2d(inp, out, k, stride, padding=padding, groups=groups, bias=False)
    f.module(case, conv, {"x": torch.randn(2, inp, 9, 12)}, ("x",))
f.save()
