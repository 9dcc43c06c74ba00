"""What stands in a file, whatever its ending: ``kinds`` looks at the content, a module reads a family of formats."""
