//! killed by: file, as folder_ignored
//! Into the folder that one happens to stand in.

    let _ = folder;
    if valid_loss < best_loss {
        model.save(Path::new("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
