//! killed by: frozen, as nothing_frozen
//! The switch the other way.

    language_model.set_trainable(true);
    Ok(())
