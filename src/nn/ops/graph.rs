//! Our operations as nodes of candle's graph, without its sums.
//!
//! candle's backward pass adds every gradient that arrives to zeros that it makes first: for a picture's activations three
//! passes over memory on one thread, for nothing. So the tensors that pass from one of our operations to the next stand in
//! the graph as *handles*, scalars that keep the order of the backward pass; the gradient itself waits in a slot, where
//! the next operation takes it, to change it in place. Parameters, and whatever meets candle's own operations, get their
//! gradients in candle's way.
//!
//! ```text
//!  x ── Gate ── handle ── Leave ── y            what candle's own operations see
//!                  └───── Gate ── handle ── …   the next operation of ours, whose input is y
//! ```
//!
//! One graph is differentiated by one thread at a time.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, Weak};

use super::slices;
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Tensor, TensorId,
};

/// Where an output's gradient waits for its operation.
type Slot = Mutex<Option<Vec<f32>>>;

/// The backward pass of an operation with `N` inputs: from the output's gradient to theirs, for those that are wanted.
type Backward<const N: usize> =
    dyn Fn(Vec<f32>, [bool; N]) -> Result<[Option<Vec<f32>>; N]> + Send + Sync;

/// An output of ours that is alive.
struct Node {
    handle: Tensor,
    slot: Arc<Slot>,
}

static NODES: LazyLock<Mutex<HashMap<TensorId, Weak<Node>>>> = LazyLock::new(Mutex::default);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// The output `values` of an operation on `inputs`, of one to three f32 tensors on the CPU, as a tensor that knows its
/// gradient. `backward` keeps what it needs (detached tensors, or it would keep the whole graph).
pub fn record<const N: usize>(
    inputs: [&Tensor; N],
    shape: impl Into<Shape>,
    values: Vec<f32>,
    backward: impl Fn(Vec<f32>, [bool; N]) -> Result<[Option<Vec<f32>>; N]> + Send + Sync + 'static,
) -> Result<Tensor> {
    let shape = shape.into();
    let wanted = inputs.map(Tensor::track_op);
    if !wanted.contains(&true) {
        return Tensor::from_vec(values, shape, &Device::Cpu);
    }
    let (mut args, mut targets) = (Vec::new(), Vec::new());
    for (i, x) in inputs.into_iter().enumerate().filter(|(i, _)| wanted[*i]) {
        let node = locked(&NODES).get(&x.id()).and_then(Weak::upgrade);
        let (arg, target) = match node {
            Some(node) => (node.handle.clone(), Target::Slot(node.slot.clone())),
            None => (x.clone(), Target::Tensor(x.shape().clone())),
        };
        args.push(arg);
        targets.push((i, target));
    }
    let slot = Arc::new(Slot::default());
    let gate = Gate { slot: slot.clone(), wanted, targets, backward: Box::new(backward) };
    let handle = match &args[..] {
        [a] => a.apply_op1(gate)?,
        [a, b] => a.apply_op2(b, gate)?,
        [a, b, c] => a.apply_op3(b, c, gate)?,
        _ => candle_core::bail!("an operation of one to three inputs, got {}", args.len()),
    };
    let node = Arc::new(Node { handle: handle.clone(), slot });
    let alive = Arc::downgrade(&node);
    let id = Arc::new(OnceLock::new());
    let values = Mutex::new(Some(values));
    let y = handle.apply_op1(Leave { values, shape, node, id: id.clone() })?;
    locked(&NODES).insert(y.id(), alive);
    id.set(y.id()).expect("set once");
    Ok(y)
}

/// As [`record`], for an operation whose gradient follows from its output.
pub fn record_output<const N: usize>(
    inputs: [&Tensor; N],
    shape: impl Into<Shape>,
    values: Vec<f32>,
    backward: impl Fn(&Tensor, Vec<f32>, [bool; N]) -> Result<[Option<Vec<f32>>; N]>
    + Send
    + Sync
    + 'static,
) -> Result<Tensor> {
    let kept = Arc::new(OnceLock::<Tensor>::new());
    let output = kept.clone();
    let y = record(inputs, shape, values, move |grad, wanted| match output.get() {
        Some(output) => backward(output, grad, wanted),
        None => candle_core::bail!("the output of this operation is not there yet"),
    })?;
    kept.set(y.detach()).expect("set once");
    Ok(y)
}

/// Where an input's gradient goes.
enum Target {
    /// To the operation of ours that made it.
    Slot(Arc<Slot>),
    /// To candle, in this shape.
    Tensor(Shape),
}

/// Adds `grad` to what waits in `slot`.
fn accumulate(slot: &Slot, grad: Vec<f32>) {
    let mut slot = locked(slot);
    match &mut *slot {
        None => *slot = Some(grad),
        Some(sum) => slices::add(sum, &grad),
    }
}

/// What candle's backward pass runs for an operation. Its output is the handle.
struct Gate<const N: usize> {
    slot: Arc<Slot>,
    wanted: [bool; N],
    /// Which input each argument stands for, and where its gradient goes.
    targets: Vec<(usize, Target)>,
    backward: Box<Backward<N>>,
}

impl<const N: usize> Gate<N> {
    fn forward(&self) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.]), Shape::from(())))
    }

    /// What candle gets for each argument: a handle's gradient is 0, the true one waits in its slot.
    fn gradients(&self) -> Result<Vec<Option<Tensor>>> {
        let Some(grad) = locked(&self.slot).take() else {
            candle_core::bail!(
                "no gradient came to an operation: is the graph differentiated twice at once?"
            );
        };
        let mut grads = (self.backward)(grad, self.wanted)?;
        let mut out = Vec::new();
        for (i, target) in &self.targets {
            let Some(grad) = grads[*i].take() else {
                candle_core::bail!("an operation gave no gradient for its input {i}");
            };
            out.push(Some(match target {
                Target::Tensor(shape) => Tensor::from_vec(grad, shape, &Device::Cpu)?,
                Target::Slot(slot) => {
                    accumulate(slot, grad);
                    Tensor::new(0f32, &Device::Cpu)?
                }
            }));
        }
        Ok(out)
    }
}

impl<const N: usize> CustomOp1 for Gate<N> {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.gradients()?.remove(0))
    }
}

impl<const N: usize> CustomOp2 for Gate<N> {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.gradients()?.into_iter();
        Ok((grads.next().flatten(), grads.next().flatten()))
    }
}

impl<const N: usize> CustomOp3 for Gate<N> {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.gradients()?.into_iter();
        Ok((grads.next().flatten(), grads.next().flatten(), grads.next().flatten()))
    }
}

/// From a handle to the values, for candle's own operations.
struct Leave {
    values: Mutex<Option<Vec<f32>>>,
    shape: Shape,
    node: Arc<Node>,
    id: Arc<OnceLock<TensorId>>,
}

impl CustomOp1 for Leave {
    fn name(&self) -> &'static str {
        "leave"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        match locked(&self.values).take() {
            Some(values) => Ok((CpuStorage::F32(values), self.shape.clone())),
            None => candle_core::bail!("the values were taken already"),
        }
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        accumulate(&self.node.slot, slices::with(grad, |grad| Ok(grad.to_vec()))?);
        Ok(Some(Tensor::new(0f32, &Device::Cpu)?))
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(id) = self.id.get() {
            locked(&NODES).remove(id);
        }
    }
}
