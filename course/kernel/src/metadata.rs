//! `cargo metadata` of a cell's crate, cut down to the packages whose types a cell can name.
//!
//! rust-analyzer reads every package of the graph before it can say what type a variable has. A cell names the
//! library's types and those that the library re-exports; the other packages' names need not resolve. Of those that do, it
//! reads the [outline](crate::outline).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Stands for the folder of the cell's crate in a recording.
pub const CELL: &str = "@CELL@";

/// The library's package.
pub const LIBRARY: &str = "vision-language";

/// Packages whose types turn up in a notebook's variables.
const NAMEABLE: &[&str] = &["candle-core", "candle-nn", "image"];

/// The packages of the standard library's workspace that rust-analyzer needs to give a type to a variable.
pub const STD: &[&str] = &[
    "core",
    "alloc",
    "std",
    "proc_macro",
    "test",
    "panic_abort",
    "panic_unwind",
    "unwind",
    "rustc-std-workspace-core",
    "rustc-std-workspace-alloc",
    "rustc-std-workspace-std",
];

/// Cuts the workspace's metadata down and puts the cell's crate on top.
pub fn cut(whole: &Value, workspace: &Path) -> Result<Value> {
    let packages = whole["packages"].as_array().context("metadata without packages")?;
    let nodes = whole["resolve"]["nodes"].as_array().context("metadata without a graph")?;
    let node_of: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, node))).collect();

    let library = packages
        .iter()
        .find(|package| package["name"] == LIBRARY && package["source"].is_null())
        .and_then(|package| package["id"].as_str())
        .with_context(|| format!("no package {LIBRARY} in {}", workspace.display()))?;
    let kept = reachable(library, &node_of, packages);

    let mut packages: Vec<Value> = packages
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| kept.contains(&id)))
        .map(slim)
        .collect();
    let mut nodes: Vec<Value> =
        kept.iter().filter_map(|id| node_of.get(id)).map(|node| prune(node, &kept)).collect();
    let cell = format!("path+file://{CELL}#ctx@1.0.0");
    packages.push(cell_package(&cell, workspace));
    nodes.push(json!({
        "id": cell,
        "dependencies": [library],
        "deps": [{"name": "vision_language", "pkg": library, "dep_kinds": [{"kind": null, "target": null}]}],
        "features": [],
    }));
    Ok(json!({
        "packages": packages,
        "workspace_members": [cell],
        "workspace_default_members": [cell],
        "resolve": {"nodes": nodes, "root": cell},
        "target_directory": format!("{CELL}/target"),
        "version": 1,
        "workspace_root": CELL,
        "metadata": null,
    }))
}

/// Cuts the standard library's metadata (`--no-deps`) down to [`STD`] and moves it from `sources` to `library`, with the
/// graph that `--no-deps` leaves out: what its own crates depend on of each other, but nothing from a registry.
pub fn cut_std(whole: &Value, sources: &Path, library: &Path) -> Result<Value> {
    let packages = whole["packages"].as_array().context("metadata without packages")?;
    let mut packages: Vec<Value> = packages
        .iter()
        .filter(|package| package["name"].as_str().is_some_and(|name| STD.contains(&name)))
        .cloned()
        .collect();
    let id_of: BTreeMap<String, Value> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?.to_owned(), package["id"].clone())))
        .collect();
    let mut nodes = Vec::new();
    for package in &mut packages {
        let dependencies = package["dependencies"].as_array().cloned().unwrap_or_default();
        let mut deps: BTreeMap<String, Value> = BTreeMap::new();
        for dependency in dependencies {
            let (Some(name), true) = (dependency["name"].as_str(), dependency["kind"].is_null())
            else {
                continue;
            };
            let Some(id) = id_of.get(name) else { continue };
            let named = dependency["rename"].as_str().unwrap_or(name).replace('-', "_");
            let kinds = json!([{"kind": null, "target": null}]);
            deps.insert(named.clone(), json!({"name": named, "pkg": id, "dep_kinds": kinds}));
        }
        let ids: Vec<&Value> = deps.values().map(|dep| &dep["pkg"]).collect();
        let features: Vec<&String> = match package["features"].as_object() {
            Some(features) if package["name"] == "std" => {
                features.keys().filter(|name| *name == "default").collect()
            }
            _ => Vec::new(),
        };
        nodes.push(json!({
            "id": package["id"], "dependencies": ids, "deps": deps.values().collect::<Vec<_>>(), "features": features,
        }));
        keep_library(package);
        package["dependencies"] = json!([]);
    }
    let ids: Vec<&Value> = id_of.values().collect();
    let graph = json!({
        "packages": packages,
        "workspace_members": ids,
        "workspace_default_members": ids,
        "resolve": {"nodes": nodes, "root": null},
        "target_directory": whole["target_directory"],
        "version": 1,
        "workspace_root": whole["workspace_root"],
        "metadata": null,
    });
    let text = graph.to_string().replace(&*sources.to_string_lossy(), &library.to_string_lossy());
    Ok(serde_json::from_str(&text)?)
}

/// The library and what can be reached from it through nameable packages alone.
fn reachable<'a>(
    library: &'a str,
    node_of: &BTreeMap<&'a str, &'a Value>,
    packages: &'a [Value],
) -> Vec<&'a str> {
    let nameable: Vec<&str> = packages
        .iter()
        .filter(|package| package["name"].as_str().is_some_and(|name| NAMEABLE.contains(&name)))
        .filter_map(|package| package["id"].as_str())
        .collect();
    let mut kept = vec![library];
    let mut next = 0;
    while let Some(id) = kept.get(next).copied() {
        next += 1;
        let dependencies = node_of.get(id).and_then(|node| node["dependencies"].as_array());
        for dependency in dependencies.into_iter().flatten().filter_map(Value::as_str) {
            if nameable.contains(&dependency) && !kept.contains(&dependency) {
                kept.push(dependency);
            }
        }
    }
    kept
}

/// A package with its library target alone.
fn slim(package: &Value) -> Value {
    let mut package = package.clone();
    keep_library(&mut package);
    package["dependencies"] = json!([]);
    package
}

/// Moves the packages of a recording, the cell's apart, to `outlines`: of each, the folder that its sources lie in and the
/// one where their outline belongs.
pub fn outlined(graph: &mut Value, outlines: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut moved = Vec::new();
    for package in graph["packages"].as_array_mut().into_iter().flatten() {
        let source = package["targets"][0]["src_path"].as_str().map(PathBuf::from);
        let (Some(source), Some(name)) = (source, package["name"].as_str()) else { continue };
        let (Some(from), Some(file)) = (source.parent(), source.file_name()) else { continue };
        if source.starts_with(CELL) {
            continue;
        }
        let root = outlines.join(name);
        let to = root.join("src");
        package["targets"][0]["src_path"] = json!(to.join(file));
        package["manifest_path"] = json!(root.join("Cargo.toml"));
        moved.push((from.to_path_buf(), to));
    }
    moved
}

/// Drops the targets that no other crate can use: programs, tests, examples.
fn keep_library(package: &mut Value) {
    if let Some(targets) = package["targets"].as_array_mut() {
        targets.retain(|target| {
            let kinds = target["kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib" || kind == "rlib"))
        });
    }
}

fn prune(node: &Value, kept: &[&str]) -> Value {
    let is_kept = |id: &Value| id.as_str().is_some_and(|id| kept.contains(&id));
    let mut node = node.clone();
    if let Some(dependencies) = node["dependencies"].as_array_mut() {
        dependencies.retain(is_kept);
    }
    if let Some(deps) = node["deps"].as_array_mut() {
        deps.retain(|dep| is_kept(&dep["pkg"]));
    }
    node
}

fn cell_package(id: &str, workspace: &Path) -> Value {
    json!({
        "name": "ctx", "version": "1.0.0", "id": id, "source": null, "edition": "2024",
        "license": null, "license_file": null, "description": null, "authors": [], "categories": [],
        "keywords": [], "readme": null, "repository": null, "homepage": null, "documentation": null,
        "links": null, "default_run": null, "rust_version": null, "publish": null, "metadata": null,
        "features": {}, "manifest_path": format!("{CELL}/Cargo.toml"),
        "targets": [{
            "kind": ["cdylib"], "crate_types": ["cdylib"], "name": "ctx", "src_path": format!("{CELL}/src/lib.rs"),
            "edition": "2024", "doc": true, "doctest": false, "test": true,
        }],
        "dependencies": [{
            "name": LIBRARY, "source": null, "req": "*", "kind": null, "rename": null, "optional": false,
            "uses_default_features": true, "features": [], "target": null, "registry": null, "path": workspace,
        }],
    })
}

/// The recording for a crate in `folder`; with `no_deps` as `cargo metadata --no-deps` gives it.
pub fn answer(recording: &str, folder: &Path, no_deps: bool) -> Result<String> {
    let text = recording.replace(CELL, &folder.to_string_lossy());
    if !no_deps {
        return Ok(text);
    }
    let mut graph: Value = serde_json::from_str(&text)?;
    let members = graph["workspace_members"].clone();
    if let Some(packages) = graph["packages"].as_array_mut() {
        packages.retain(|package| {
            members.as_array().is_some_and(|members| members.contains(&package["id"]))
        });
    }
    graph["resolve"] = Value::Null;
    Ok(graph.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace in small: the library over candle-core (which uses half), candle-nn and polars, and a second
    /// candle-core that only a tool uses.
    fn whole() -> Value {
        let package = |name: &str, id: &str, source: Value| {
            json!({"name": name, "id": id, "source": source, "manifest_path": format!("/w/{id}/Cargo.toml"),
                "dependencies": [{"name": "anything"}],
                "targets": [
                    {"kind": ["lib"], "name": name, "src_path": format!("/w/{id}/src/lib.rs")},
                    {"kind": ["example"], "name": "x", "src_path": "/w/x.rs"}]})
        };
        let node = |id: &str, dependencies: &[&str]| {
            let deps: Vec<Value> =
                dependencies.iter().map(|pkg| json!({"name": pkg, "pkg": pkg})).collect();
            json!({"id": id, "dependencies": dependencies, "deps": deps, "features": ["default"]})
        };
        let registry = || json!("registry+x");
        json!({
            "packages": [
                package("vision-language", "vl", Value::Null), package("candle-core", "core", registry()),
                package("candle-nn", "nn", registry()), package("half", "half", registry()),
                package("polars", "polars", registry()), package("candle-core", "core-old", registry()),
                package("tool", "tool", Value::Null)],
            "resolve": {"nodes": [
                node("vl", &["core", "nn", "polars"]), node("core", &["half"]), node("nn", &["core", "half"]),
                node("half", &[]), node("polars", &[]), node("core-old", &[]), node("tool", &["core-old", "vl"])]},
        })
    }

    fn names(graph: &Value) -> Vec<&str> {
        graph["packages"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_graph_has_the_library_what_it_names_and_the_cell() {
        let graph = cut(&whole(), Path::new("/w")).unwrap();
        assert_eq!(names(&graph), ["vl", "core", "nn", "path+file://@CELL@#ctx@1.0.0"]);
        let nodes = graph["resolve"]["nodes"].as_array().unwrap();
        let node = |id: &str| nodes.iter().find(|node| node["id"] == id).unwrap();
        assert_eq!(node("vl")["dependencies"], json!(["core", "nn"]));
        assert_eq!(node("nn")["deps"], json!([{"name": "core", "pkg": "core"}]));
        assert_eq!(node("core")["dependencies"], json!([]));
        assert_eq!(graph["resolve"]["root"], "path+file://@CELL@#ctx@1.0.0");
    }

    #[test]
    fn packages_are_read_from_their_outlines_and_the_cell_is_not() {
        let mut graph = cut(&whole(), Path::new("/w")).unwrap();
        let moved = outlined(&mut graph, Path::new("/k/crates"));
        let library = &graph["packages"][0];
        assert_eq!(library["manifest_path"], "/k/crates/vision-language/Cargo.toml");
        assert_eq!(library["targets"].as_array().unwrap().len(), 1);
        assert_eq!(library["targets"][0]["src_path"], "/k/crates/vision-language/src/lib.rs");
        assert_eq!(moved.len(), 3);
        assert_eq!(moved[1], ("/w/core/src".into(), "/k/crates/candle-core/src".into()));
        assert_eq!(graph["packages"][3]["manifest_path"], format!("{CELL}/Cargo.toml"));
    }

    #[test]
    fn a_workspace_without_the_library_is_refused() {
        let mut whole = whole();
        whole["packages"][0]["name"] = json!("another");
        assert!(cut(&whole, Path::new("/w")).unwrap_err().to_string().contains("vision-language"));
    }

    #[test]
    fn the_standard_library_is_its_own_crates_in_another_place() {
        let package = |name: &str, dependencies: Value| {
            json!({"name": name, "id": format!("path+file:///rust/library/{name}#0.0.0"), "features": {"default": []},
                "manifest_path": format!("/rust/library/{name}/Cargo.toml"), "dependencies": dependencies,
                "targets": [{"kind": ["lib"]}, {"kind": ["bench"]}]})
        };
        let dependency =
            |name: &str, kind: Value| json!({"name": name, "kind": kind, "rename": null});
        let on_core = json!({"name": "rustc-std-workspace-core", "kind": null, "rename": "core"});
        let whole = json!({"workspace_root": "/rust/library", "target_directory": "/rust/library/target", "packages": [
            package("core", json!([])), package("coretests", json!([])),
            package("rustc-std-workspace-core", json!([dependency("core", Value::Null)])),
            package("std", json!([on_core, dependency("libc", Value::Null), dependency("test", json!("dev"))])),
            package("test", json!([]))]});
        let graph = cut_std(&whole, Path::new("/rust/library"), Path::new("/k/library")).unwrap();
        let id = |name: &str| format!("path+file:///k/library/{name}#0.0.0");
        assert_eq!(names(&graph), ["core", "rustc-std-workspace-core", "std", "test"].map(id));
        assert_eq!(graph["packages"][0]["manifest_path"], "/k/library/core/Cargo.toml");
        assert_eq!(graph["packages"][0]["targets"], json!([{"kind": ["lib"]}]));
        let std = &graph["resolve"]["nodes"][2];
        assert_eq!(std["dependencies"], json!([id("rustc-std-workspace-core")]));
        assert_eq!(std["deps"][0]["name"], "core");
    }

    #[test]
    fn an_answer_is_about_the_cells_folder() {
        let recording = cut(&whole(), Path::new("/w")).unwrap().to_string();
        let all: Value =
            serde_json::from_str(&answer(&recording, Path::new("/tmp/k"), false).unwrap()).unwrap();
        assert_eq!(all["workspace_root"], "/tmp/k");
        assert_eq!(all["packages"][3]["targets"][0]["src_path"], "/tmp/k/src/lib.rs");
        let alone: Value =
            serde_json::from_str(&answer(&recording, Path::new("/tmp/k"), true).unwrap()).unwrap();
        assert_eq!(names(&alone), ["path+file:///tmp/k#ctx@1.0.0"]);
        assert!(alone["resolve"].is_null());
    }
}
