"""Functions run on this machine as Lambda runs them: emulator, runtime client, exec wrapper,
layer."""
