"""A small JPEG made from code, decoded and resized by PIL: what `Transform` is compared with.

    python tests/golden/resize.py        # writes tests/golden/resize/*; made with pillow 13.0.0

The picture has what resizing gets wrong: fine stripes (aliasing), a hard edge, a smooth ramp, saturated colour.
"""

from pathlib import Path

import numpy as np
from PIL import Image

here = Path(__file__).parent / "resize"
here.mkdir(exist_ok=True)

width, height = 150, 113
y, x = np.mgrid[0:height, 0:width].astype(float)
red = 255 * x / width
green = 127 + 127 * np.sin(x * x / 260) * np.cos(y / 7)
blue = np.where((x - 75) ** 2 + (y - 56) ** 2 < 35**2, 230, 255 * y / height)
pixels = np.stack([red, green, blue], -1).round().clip(0, 255).astype(np.uint8)
Image.fromarray(pixels).save(here / "picture.jpg", quality=90, subsampling=2)

decoded = Image.open(here / "picture.jpg").convert("RGB")
decoded.save(here / "decoded.png", optimize=True)
for side in (64, 224):  # smaller than the picture; larger
    resized = decoded.resize((side, side), Image.Resampling.BILINEAR)
    resized.save(here / f"resized_{side}.png", optimize=True)
