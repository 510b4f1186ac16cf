# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tells what happens to files and directories: python watch.py path…, until they are gone."""

import os
import sys

import evl
from evl import Filter, Flag, VnodeNote

WATCHED = VnodeNote.DELETE | VnodeNote.RENAME | VnodeNote.WRITE | VnodeNote.ATTRIB

paths = {os.open(path, os.O_RDONLY): path for path in sys.argv[1:]}
with evl.Reactor() as reactor:
    for descriptor, path in paths.items():
        reactor.add(descriptor, Filter.VNODE, Flag.CLEAR, WATCHED, udata=path)
    print("watching", *paths.values(), flush=True)
    while paths:
        for event in reactor.wait():
            notes = [note.name or "" for note in VnodeNote if event.fflags & note]
            print(event.udata, *notes, flush=True)
            if event.fflags & VnodeNote.DELETE:
                reactor.delete(event.ident, Filter.VNODE)
                del paths[event.ident]
                os.close(event.ident)
