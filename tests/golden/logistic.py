"""Multinomial logistic regression by scikit-learn: what our L-BFGS must find.

Run: python tests/golden/logistic.py   (writes tests/golden/logistic.safetensors)
Seed 0; scikit-learn 1.x, lbfgs, tol 1e-10, 10,000 iterations. 90 examples of 4 classes in 6 dimensions, C = 0.03, 1 and 30; 40
more to predict. float64.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
centres = rng.normal(size=(4, 6))
labels = rng.integers(0, 4, size=130)
x = centres[labels] * 0.9 + rng.normal(size=(130, 6)) * [1, 2, 0.5, 1, 3, 1]
out = {"x": x, "labels": labels.astype(np.uint32)}
for name, c in [("0.03", 0.03), ("1", 1.0), ("30", 30.0)]:
    model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x[:90], labels[:90])
    out[f"weight.{name}"] = model.coef_
    # Softmax does not see a number that is added to all classes; scikit-learn's own is centred.
    out[f"bias.{name}"] = model.intercept_ - model.intercept_.mean()
    out[f"probabilities.{name}"] = model.predict_proba(x[90:])
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, Path(__file__).with_suffix(".safetensors"))
