//! L-BFGS: Newton's method with a memory instead of a matrix (J. Nocedal and S. Wright, "Numerical Optimization", 2006,
//! algorithms 7.4 and 7.5).
//!
//! The last few steps `s` and changes of the gradient `y` say how the function bends; the two-loop recursion multiplies
//! the gradient with that inverse Hessian. A line search by halving (Armijo's condition, with a minimum of the parabola
//! through the three known numbers) keeps every step downhill.

use std::collections::VecDeque;

use crate::Result;

/// How long and how exactly it looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// How many steps it remembers; scipy's 10.
    pub memory: usize,
    /// The most steps; the paper's 1,000.
    pub max_iterations: usize,
    /// It ends where no component of the gradient is larger.
    pub tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { memory: 10, max_iterations: 1000, tolerance: 1e-5 }
    }
}

/// Where it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The place.
    pub x: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// Steps that were taken.
    pub iterations: usize,
    /// Whether the gradient is within the tolerance.
    pub converged: bool,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0., |most, v| most.max(v.abs()))
}

/// A function's value at a point; its gradient there goes into the second argument.
pub type Smooth<'a> = dyn FnMut(&[f64], &mut [f64]) -> Result<f64> + 'a;

impl Lbfgs {
    /// Minimises a smooth function from `x`; `f` writes the gradient into its second argument and gives the value.
    ///
    /// # Errors
    /// What `f` says.
    pub fn minimise(&self, mut x: Vec<f64>, f: &mut Smooth) -> Result<Minimum> {
        let mut gradient = vec![0.; x.len()];
        let mut value = f(&x, &mut gradient)?;
        let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
        for iteration in 0..self.max_iterations {
            if largest(&gradient) <= self.tolerance {
                return Ok(Minimum { x, value, iterations: iteration, converged: true });
            }
            let mut direction = newton(&memory, &gradient);
            let mut slope = dot(&direction, &gradient);
            if slope >= 0. {
                // Rounding has spoilt the memory.
                memory.clear();
                direction = gradient.iter().map(|g| -g).collect();
                slope = dot(&direction, &gradient);
            }
            // The first step has no scale yet.
            let mut step = if memory.is_empty() { 1. / slope.abs().sqrt().max(1.) } else { 1. };
            let mut next = vec![0.; x.len()];
            let mut next_gradient = vec![0.; x.len()];
            let mut found = None;
            for _ in 0..40 {
                for ((n, x), d) in next.iter_mut().zip(&x).zip(&direction) {
                    *n = x + step * d;
                }
                let there = f(&next, &mut next_gradient)?;
                if there <= value + 1e-4 * step * slope {
                    found = Some(there);
                    break;
                }
                let parabola = -slope * step * step / (2. * (there - value - slope * step));
                step = match parabola.is_finite() {
                    true => parabola.clamp(0.1 * step, 0.5 * step),
                    false => 0.1 * step,
                };
            }
            // No step goes down any more: rounding is the limit.
            let Some(there) = found else {
                return Ok(Minimum { x, value, iterations: iteration, converged: false });
            };
            let s: Vec<f64> = next.iter().zip(&x).map(|(n, x)| n - x).collect();
            let y: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(n, g)| n - g).collect();
            // A pair that does not bend upwards would spoil the estimate.
            if dot(&s, &y) > 1e-10 * dot(&y, &y).sqrt() * dot(&s, &s).sqrt() {
                memory.push_back((s, y));
                if memory.len() > self.memory {
                    memory.pop_front();
                }
            }
            (x, gradient, value) = (next, next_gradient, there);
        }
        let converged = largest(&gradient) <= self.tolerance;
        Ok(Minimum { x, value, iterations: self.max_iterations, converged })
    }
}

/// Minus the remembered inverse Hessian times the gradient: the two-loop recursion.
fn newton(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(memory.len());
    for (s, y) in memory.iter().rev() {
        let alpha = dot(s, &q) / dot(s, y);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
        alphas.push(alpha);
    }
    if let Some((s, y)) = memory.back() {
        let scale = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / dot(s, y);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_and_a_bent_valley() {
        // Rosenbrock's valley in ten dimensions: the minimum is at 1, 1, … (H. Rosenbrock, 1960).
        let mut valley = |x: &[f64], g: &mut [f64]| {
            g.fill(0.);
            let mut sum = 0.;
            for i in 0..x.len() - 1 {
                let (a, b) = (1. - x[i], x[i + 1] - x[i] * x[i]);
                sum += a * a + 100. * b * b;
                g[i] += -2. * a - 400. * x[i] * b;
                g[i + 1] += 200. * b;
            }
            Ok(sum)
        };
        let found = Lbfgs::default().minimise(vec![-1.2; 10], &mut valley).unwrap();
        assert!(found.converged && found.x.iter().all(|x| (x - 1.).abs() < 1e-5), "{found:?}");
        let short = Lbfgs { max_iterations: 3, ..Lbfgs::default() };
        let found = short.minimise(vec![-1.2; 10], &mut valley).unwrap();
        assert!(!found.converged && found.iterations == 3);
    }

    #[test]
    fn badly_scaled_is_no_obstacle() {
        let mut bowl = |x: &[f64], g: &mut [f64]| {
            let scales = [1e-2, 1., 1e3];
            for i in 0..3 {
                g[i] = 2. * scales[i] * (x[i] - 1.);
            }
            Ok((0..3).map(|i| scales[i] * (x[i] - 1.).powi(2)).sum())
        };
        let found = Lbfgs { tolerance: 1e-9, ..Lbfgs::default() }
            .minimise(vec![5., -3., 40.], &mut bowl)
            .unwrap();
        assert!(found.x.iter().all(|x| (x - 1.).abs() < 1e-6), "{found:?}");
    }
}
