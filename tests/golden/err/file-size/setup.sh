# One byte more than a mebibyte. It is refused before it is read.
head -c 1048577 /dev/zero | tr '\0' '#' >demo/trips.yaml
