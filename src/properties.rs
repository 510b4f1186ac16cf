// SPDX-License-Identifier: MIT OR Apache-2.0
//! Properties that hold for any bytes. The fuzzers in `fuzz/` try to break them; every test run
//! checks them on the seeds that are kept there. No part of the library.

pub use crate::http::properties::{chunked, codings, conditional, decoder, range, target};
pub use crate::server::conf::properties::configuration;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    /// A fuzzer's name and what it tries to break.
    type Property = (&'static str, fn(&[u8]));

    const ALL: [Property; 7] = [
        ("chunked", chunked),
        ("codings", codings),
        ("conditional", conditional),
        ("configuration", configuration),
        ("decoder", decoder),
        ("range", range),
        ("target", target),
    ];

    fn seeds(name: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn they_hold_for_the_seeds() {
        for (name, property) in ALL {
            let seeds = seeds(name);
            assert!(seeds.len() >= 4, "{name} has too few seeds");
            seeds.iter().for_each(|seed| property(seed));
        }
    }

    #[test]
    fn each_has_its_fuzzer() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let mut names: Vec<_> = std::fs::read_dir(root.join("targets"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, ALL.map(|(name, _)| name));
    }

    proptest! {
        #[test]
        fn they_hold_for_any_bytes(bytes: Vec<u8>) {
            ALL.iter().for_each(|(_, property)| property(&bytes));
        }

        #[test]
        fn they_hold_for_damaged_seeds(
            which: prop::sample::Index,
            seed: prop::sample::Index,
            place: prop::sample::Index,
            byte: u8,
        ) {
            let (name, property) = which.get(&ALL);
            let seeds = seeds(name);
            let mut bytes = seed.get(&seeds).clone();
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            property(&bytes);
        }
    }
}
