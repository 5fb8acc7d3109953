"""How do people reach Pinakes? The page: what a request asks for, what is shown of an answer, templates."""
