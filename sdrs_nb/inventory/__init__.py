"""The inventory stage: what is known of a project's servers, from the cloud or from files, as frames."""
