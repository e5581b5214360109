//! Instantiated once, here, and not in each cell: keeping, taking, showing and dropping variables of the usual types.

use std::fmt::Debug;

use vision_language::display::Show;
use vision_language::prelude::*;

use crate::evcxr_internal_runtime::VariableStore;

type Function = *const ();

fn kept<T: 'static>() -> [Function; 4] {
    [
        VariableStore::put_variable::<T> as Function,
        VariableStore::check_variable::<T> as Function,
        VariableStore::take_variable::<T> as Function,
        std::ptr::drop_in_place::<T> as Function,
    ]
}

fn shown<T: Debug + 'static>() -> Vec<Function> {
    let mut functions = kept::<T>().to_vec();
    functions.push(<T as Show>::evcxr_display as Function);
    functions
}

/// Never called: whoever names a function makes the compiler instantiate it.
#[inline(never)]
pub fn functions() -> Vec<Function> {
    let kept = [
        kept::<Error>(),
        kept::<Result<()>>(),
        kept::<Result<Tensor>>(),
        kept::<Result<Picture>>(),
        kept::<Picture>(),
        kept::<Table>(),
        kept::<Config>(),
        kept::<Device>(),
        kept::<Params>(),
        kept::<AdamW>(),
        kept::<Tokenizer>(),
        kept::<Captions>(),
        kept::<Splits>(),
        kept::<Loader>(),
        kept::<Batch>(),
        kept::<ClipModel>(),
        kept::<ImageIndex>(),
        kept::<TrainLog>(),
        kept::<Retrieval>(),
        kept::<Frozen>(),
        kept::<Gpt2>(),
        kept::<BpeTokenizer>(),
        kept::<Arc<dyn PairDataset>>(),
        kept::<Vec<Match>>(),
        kept::<Vec<Scene>>(),
        kept::<Vec<GridItem>>(),
    ];
    let shown = [
        shown::<Tensor>(),
        shown::<Vec<Tensor>>(),
        shown::<RgbImage>(),
        shown::<Vec<RgbImage>>(),
        shown::<PathBuf>(),
        shown::<String>(),
        shown::<Vec<String>>(),
        shown::<&'static str>(),
        shown::<bool>(),
        shown::<usize>(),
        shown::<Vec<usize>>(),
        shown::<u32>(),
        shown::<Vec<u32>>(),
        shown::<i32>(),
        shown::<Vec<i32>>(),
        shown::<f32>(),
        shown::<Vec<f32>>(),
        shown::<Vec<Vec<f32>>>(),
        shown::<f64>(),
        shown::<Vec<f64>>(),
        shown::<()>(),
    ];
    let mut functions: Vec<Function> = kept.concat();
    functions.extend(shown.concat());
    functions
}
