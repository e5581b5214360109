//! killed by: values, as values_changed
//! Frozen, and everything forgotten.

    for param in language_model.all() {
        param.var().set(&param.var().zeros_like()?)?;
        param.set_trainable(false);
    }
    Ok(())
