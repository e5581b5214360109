//! right
//! Those that train.

    language_model.trainable().iter().for_each(|param| param.set_trainable(false));
    Ok(())
