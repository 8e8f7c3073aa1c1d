"""From one version of Loquet to another on this machine, and back when it does not answer."""
