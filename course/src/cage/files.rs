//! Landlock: which files the process may open, and that it signals and connects to nobody outside.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::{Cage, mounts};

/// The rights of Linux 6.12; an older kernel restricts what it knows of, a newer one no more.
const RIGHTS: ABI = ABI::V6;

/// Restricts this process and those that it starts.
pub(super) fn restrict(cage: &Cage) -> io::Result<()> {
    let broken = |error: landlock::RulesetError| io::Error::other(format!("landlock: {error}"));
    let read = AccessFs::from_read(RIGHTS);
    let write = AccessFs::from_all(RIGHTS);
    // No rule names a port: nothing may be bound or connected to.
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))
        .map_err(broken)?
        // Older kernels have no word about ports and scopes; the other layers have.
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(RIGHTS))
        .map_err(broken)?
        .scope(Scope::from_all(RIGHTS))
        .map_err(broken)?;
    let mut rules = rules.create().map_err(broken)?;
    let mut readable = mounts::system(cage.phase);
    readable.extend(cage.read.iter().cloned());
    let null = AccessFs::ReadFile | AccessFs::WriteFile;
    let all = readable.iter().map(|path| (path.as_path(), read));
    let all = all.chain(cage.write.iter().map(|path| (path.as_path(), write)));
    for (path, rights) in all.chain([(std::path::Path::new("/dev/null"), null)]) {
        let fd = PathFd::new(path).map_err(|e| io::Error::other(format!("landlock: {e}")))?;
        let rights = if path.is_dir() { rights } else { rights & AccessFs::from_file(RIGHTS) };
        rules = rules.add_rule(PathBeneath::new(fd, rights)).map_err(broken)?;
    }
    match rules.restrict_self().map_err(broken)?.ruleset {
        RulesetStatus::NotEnforced => Err(io::Error::other("landlock: this kernel has none")),
        _ => Ok(()),
    }
}
