"""The commands of `mrunners`, one file each."""
