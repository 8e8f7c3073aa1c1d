"""What stands beside a machine and tells how it is: printers by HTTP, plugs by MQTT. Nobody waits for them."""
