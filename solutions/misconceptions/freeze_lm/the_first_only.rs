//! killed by: frozen, as some_left
//! The first of the list.

    if let Some(param) = language_model.all().first() {
        param.set_trainable(false);
    }
    Ok(())
