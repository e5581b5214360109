//! killed by: again, as toggled
//! The switch is turned over.

    for param in language_model.all() {
        param.set_trainable(!param.is_trainable());
    }
    Ok(())
