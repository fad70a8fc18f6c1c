# Which branch this is a script of, and on which worker it runs: each has a home of its own, called like it.
echo "the branch $(cat data/branch.txt) on $(basename "$HOME")"
