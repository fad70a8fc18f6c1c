"""`flowmill lsp`: the language server."""

import click


@click.command("lsp", short_help="Serve an editor over standard input and output.")
def command() -> int:
    """Serve an editor with the Language Server Protocol, over standard input and output.

    Editors start this by themselves; docs/editors.md tells how to set up VS Code, Neovim and JetBrains.

    \b
    Examples:
      flowmill lsp
    """
    from flowmill.editor.serving import serve

    serve()
    return 0
