// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names the shared library for the linker and, with the feature `header`, writes `include/evl.h`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    shared_library_name();
    #[cfg(feature = "header")]
    header::write("include/evl.h")?;
    Ok(())
}

/// The name that programs are linked against: it changes with the ABI only.
fn shared_library_name() {
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let options: &[&str] = match os.as_str() {
        "macos" => &["-Wl,-install_name,@rpath/libevl.0.dylib"],
        "windows" => &[],
        // Threads and thread-local data make unloading unsafe.
        _ => &["-Wl,-soname,libevl.so.0", "-Wl,-z,nodelete"],
    };
    for option in options {
        println!("cargo:rustc-cdylib-link-arg={option}");
    }
}

/// The header is one section per module of `src/ffi`, in the order of this list. A section is the
/// module's head as its banner, then what cbindgen makes of the module's types and functions.
#[cfg(feature = "header")]
mod header {
    use super::Error;
    use cbindgen::{Builder, Config};
    use std::fs;

    const SECTIONS: [&str; 12] = [
        "text",
        "handle",
        "event",
        "reactor",
        "kqueue",
        "socket",
        "server_options",
        "server",
        "request",
        "response",
        "error",
        "version",
    ];

    pub(super) fn write(path: &str) -> Result<(), Box<dyn Error>> {
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-changed=src/ffi");
        println!("cargo:rerun-if-changed={path}");
        let mut config = Config::from_file("cbindgen.toml")?;
        let mut header = config.header.take().unwrap_or_default();
        let trailer = config.trailer.take().unwrap_or_default();
        for module in SECTIONS {
            header += "\n";
            header += &section(module, &config)?;
        }
        header += &trailer;
        if fs::read_to_string(path).ok().as_deref() != Some(&header) {
            fs::write(path, header)?;
        }
        Ok(())
    }

    fn section(module: &str, config: &Config) -> Result<String, Box<dyn Error>> {
        let path = format!("src/ffi/{module}.rs");
        let bindings = Builder::new().with_src(&path).with_config(config.clone()).generate()?;
        let mut text = Vec::new();
        bindings.write(&mut text);
        let banner = banner(&fs::read_to_string(&path)?);
        Ok(banner + "\n" + &tidy(&String::from_utf8(text)?))
    }

    /// The `//!` lines as a comment between rules.
    fn banner(source: &str) -> String {
        let rule = "-".repeat(89);
        let lines = source.lines().filter_map(|line| line.strip_prefix("//!"));
        let body: String = lines.map(|line| format!(" *{line}\n")).collect();
        format!("/* {rule}\n{body} * {rule} */\n")
    }

    /// The same text as a person would set it: a short comment on one line, a bit without brackets,
    /// an attribute on its function's last line, and `evl_x` for `struct evl_x` where the type is
    /// used, as every type has a typedef.
    fn tidy(text: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            let mut line = line.to_owned();
            if !line.starts_with("typedef") {
                line = line.replace("struct evl_", "evl_").replace("enum evl_", "evl_");
            }
            if let Some((name, bit)) = line.strip_suffix("),").and_then(|l| l.split_once(" = (")) {
                line = format!("{name} = {bit},");
            }
            match lines.as_mut_slice() {
                [.., open, only] if line.trim() == "*/" && open.trim() == "/**" => {
                    *open += &format!("{} */", only.trim_start().trim_start_matches('*'));
                    lines.pop();
                }
                [.., last] if line.starts_with("EVL_") => *last += &format!(" {line}"),
                _ => lines.push(line),
            }
        }
        lines.join("\n") + "\n"
    }
}
