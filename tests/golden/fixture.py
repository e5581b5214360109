"""One safetensors file a script: tensors named `case/what/name`, which tests/common/mod.rs reads.

`what` is `in` (inputs), `param` (parameters and buffers before), `out` (outputs), `grad` (gradients of Σ weight ⊙ out
with respect to inputs and parameters, under their names) and `after` (parameters and buffers afterwards).
"""

import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


class Fixture:
    def __init__(self, name):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self.path, self.tensors = HERE / f"{name}.safetensors", {}

    def put(self, case, what, tensors):
        for name, tensor in tensors.items():
            if not name.endswith("num_batches_tracked"):
                # A copy: optimizers and batch norm write in place.
                self.tensors[f"{case}/{what}/{name}"] = tensor.detach().clone().contiguous()

    def module(self, case, module, inputs, differentiable=(), call=None, params=True):
        """Runs `module` on `inputs` and records everything; the weight of the sum is an input, too.

        Cases that share a model record its parameters once: `params=False` and `put(model, "param", …)`.
        """
        self.put(case, "in", inputs)
        if params:
            self.put(case, "param", module.state_dict())
        inputs = {k: v.clone().requires_grad_(k in differentiable) for k, v in inputs.items()}
        module.zero_grad()
        out = call(**inputs) if call else module(*inputs.values())
        weight = torch.randn_like(out)
        self.put(case, "in", {"weight": weight})
        (weight * out).sum().backward()
        self.put(case, "out", {"y": out})
        self.put(case, "grad", {k: v.grad for k, v in inputs.items() if k in differentiable})
        self.put(case, "grad", {k: p.grad for k, p in module.named_parameters()})
        self.put(case, "after", dict(module.named_buffers()))

    def save(self):
        save_file(self.tensors, self.path)
        self.path.chmod(0o644)
        print(self.path.name, len(self.tensors), "tensors,", self.path.stat().st_size, "bytes")


def randomise(module):
    """Norms that start at 1 and 0 would hide a forgotten weight or bias."""
    for name, parameter in module.named_parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=1.0 if name.endswith("weight") else 0.0, std=0.3)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            torch.nn.init.normal_(buffer, std=0.5)
        if name.endswith("running_var"):
            torch.nn.init.uniform_(buffer, 0.5, 2.0)
    return module
