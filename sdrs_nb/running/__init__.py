"""The running stage: send a plan batch by batch, settle what is in doubt, follow the jobs, verify what was made."""
