//! killed by: better, as best_forgotten
//! The last loss is given, better or not.

    if valid_loss < best_loss {
        model.save(&folder.join("best.pt"))?;
    }
    Ok(valid_loss)
