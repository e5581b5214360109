//! killed by: full_disk, as error_swallowed
//! Whatever became of the file.

    if valid_loss < best_loss {
        let _ = model.save(&folder.join("best.pt"));
        return Ok(valid_loss);
    }
    Ok(best_loss)
