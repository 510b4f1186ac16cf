# SPDX-License-Identifier: MIT OR Apache-2.0
"""The parts of `bench/run`: what is measured, how, on what machine, and how it is told."""
