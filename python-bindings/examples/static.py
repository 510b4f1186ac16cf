# SPDX-License-Identifier: MIT OR Apache-2.0
"""Serves the files of this directory, or of another: python static.py [directory] [address]."""

import argparse

import evl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("directory", nargs="?", default=".")
parser.add_argument("address", nargs="?", default="127.0.0.1:8080")
arguments = parser.parse_args()

with evl.Server(workers=2) as server:
    server.static("/", arguments.directory)
    address = server.listen(arguments.address)
    print(f"{arguments.directory} at http://{address}/, until ^C", flush=True)
    server.run()
