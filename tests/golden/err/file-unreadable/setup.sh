# The system does not hand the file out: usually `permission denied`, here a link with a name of 300 characters.
ln -s "$(printf '%0300d' 0).yaml" demo/trips.yaml
