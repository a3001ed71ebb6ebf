"""The commands of ``python -m cxr_core``, a module each or some that belong together: their flags, checks and work.

    data.add(actions)           # adds the parsers of demo and scan; each says which function is its command

A command takes the parsed options, prints, and returns the exit status; what is wrong usage it says in its ``check``.
``flags`` and ``output`` are what they share; no command imports another. ``__main__`` is the door.
"""
