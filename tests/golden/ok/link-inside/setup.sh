# A link to a file of the same workspace is as good as the file.
printf '%s\n' 'environments: {staging: {ref: main}}' 'servers: {alpha: {}}' >flowmill.yaml
printf '%s\n' 'project: demo' 'environment: staging' 'steps:' '  - {id: load, type: script, command: echo done}' >demo/load.yaml
ln -s load.yaml demo/again.yaml
