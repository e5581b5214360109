//! Eigenvalues of symmetric matrices by Jacobi's rotations, for the root of a covariance and for its axes.

/// A symmetric matrix's eigenvalues, and its eigenvectors as the columns of a matrix; `a` is `(d, d)`, row by row.
pub(crate) fn eigen(mut a: Vec<f64>, d: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.; d * d];
    for i in 0..d {
        vectors[i * d + i] = 1.;
    }
    let scale = a.iter().map(|x| x * x).sum::<f64>();
    for _ in 0..60 {
        let off: f64 = (0..d)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * d + j].powi(2))
            .sum();
        if off <= 1e-26 * scale {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                rotate(&mut a, &mut vectors, d, p, q);
            }
        }
    }
    ((0..d).map(|i| a[i * d + i]).collect(), vectors)
}

/// Turns coordinates `p` and `q` so that the matrix's value between them becomes 0.
fn rotate(a: &mut [f64], vectors: &mut [f64], d: usize, p: usize, q: usize) {
    let between = a[p * d + q];
    if between == 0. {
        return;
    }
    let theta = (a[q * d + q] - a[p * d + p]) / (2. * between);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.).sqrt());
    let t = if theta == 0. { 1. } else { t };
    let c = 1. / (t * t + 1.).sqrt();
    let s = t * c;
    for k in 0..d {
        let (x, y) = (a[k * d + p], a[k * d + q]);
        (a[k * d + p], a[k * d + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..d {
        let (x, y) = (a[p * d + k], a[q * d + k]);
        (a[p * d + k], a[q * d + k]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..d {
        let (x, y) = (vectors[k * d + p], vectors[k * d + q]);
        (vectors[k * d + p], vectors[k * d + q]) = (c * x - s * y, s * x + c * y);
    }
}

/// The root of a symmetric matrix without negative eigenvalues (rounding's are taken for 0).
pub(super) fn root(a: Vec<f64>, d: usize) -> Vec<f64> {
    let (values, vectors) = eigen(a, d);
    let mut out = vec![0.; d * d];
    for (k, value) in values.iter().enumerate() {
        let r = value.max(0.).sqrt();
        for i in 0..d {
            let left = r * vectors[i * d + k];
            for j in 0..d {
                out[i * d + j] += left * vectors[j * d + k];
            }
        }
    }
    out
}

/// The product of two `(d, d)` matrices.
pub(super) fn product(a: &[f64], b: &[f64], d: usize) -> Vec<f64> {
    let mut out = vec![0.; d * d];
    for i in 0..d {
        for k in 0..d {
            let left = a[i * d + k];
            for j in 0..d {
                out[i * d + j] += left * b[k * d + j];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_times_itself_is_the_matrix() {
        // BᵀB of a fixed B is symmetric without negative eigenvalues.
        let d = 5;
        let b: Vec<f64> = (0..d * d).map(|i| ((i * 37 + 11) % 23) as f64 / 10. - 1.).collect();
        let bt: Vec<f64> = (0..d * d).map(|i| b[i % d * d + i / d]).collect();
        let a = product(&bt, &b, d);
        let r = root(a.clone(), d);
        let back = product(&r, &r, d);
        assert!(a.iter().zip(&back).all(|(x, y)| (x - y).abs() < 1e-10), "{a:?} {back:?}");
    }
}
