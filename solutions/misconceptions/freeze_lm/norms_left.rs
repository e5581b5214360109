//! killed by: frozen, as norms_left
//! As if the slide's remark were an exception.

    for param in language_model.all() {
        if !param.name().contains("ln_") {
            param.set_trainable(false);
        }
    }
    Ok(())
