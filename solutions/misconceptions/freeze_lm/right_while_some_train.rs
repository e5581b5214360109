//! right
//! As long as there is one.

    while let Some(param) = language_model.trainable().first() {
        param.set_trainable(false);
    }
    Ok(())
