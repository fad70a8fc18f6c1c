# A link to a file that is not there (any more).
ln -s old/trips.yaml demo/trips.yaml
