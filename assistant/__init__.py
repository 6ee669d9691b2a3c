"""The host: turns an alert id into a report. Reaches the outside only through `toolbox`."""
