"""Many runs: notebooks executed by papermill."""
