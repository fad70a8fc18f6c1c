# A folder that is called like a spec. A pipe, a socket or a device would be refused in the same way, unopened.
mkdir demo/trips.yaml
