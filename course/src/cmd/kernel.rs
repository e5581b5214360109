//! `vl kernel install|uninstall`: the kernel for a Jupyter that you start yourself, VS Code's for one.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::house::{House, jupyter_folder};
use crate::jupyter::kernel::{Kernel, spec_in};
use crate::{Error, Result};

/// Install or remove the notebooks' kernel, for VS Code or a Jupyter of your own.
#[derive(Args, Clone, Debug)]
pub struct KernelArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Build the kernel and install it, by default for this user
    Install(Place),
    /// Remove the kernel: its folder is all there is of it
    Uninstall(Place),
}

#[derive(Args, Clone, Debug)]
struct Place {
    /// For this user (the default)
    #[arg(long, conflicts_with = "prefix")]
    user: bool,
    /// Into a Python environment: DIR/share/jupyter
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Into this very folder: what a kernel asks for that finds its library changed
    #[arg(long, value_name = "DIR", hide = true)]
    folder: Option<PathBuf>,
}

impl Place {
    fn folder(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.folder {
            return Ok(folder.clone());
        }
        let jupyter = match &self.prefix {
            Some(prefix) => {
                std::path::absolute(prefix).map_err(Error::io(prefix))?.join("share/jupyter")
            }
            None => jupyter_folder()?,
        };
        Ok(spec_in(&jupyter))
    }
}

/// Installs or removes the kernel.
pub fn kernel(args: &KernelArgs) -> Result<()> {
    match &args.action {
        Action::Install(place) => {
            let folder = place.folder()?;
            Kernel::build(&House::find()?)?.install(&folder)?;
            println!("The kernel \"Rust (vision-language)\" is installed in {}.", folder.display());
        }
        Action::Uninstall(place) => {
            let folder = place.folder()?;
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
                println!("The kernel is removed: {} is gone.", folder.display());
            } else {
                println!("No kernel is installed in {}.", folder.display());
            }
        }
    }
    Ok(())
}
