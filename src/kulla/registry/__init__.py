"""The registry: finds the services, holds who may enter each page, and keeps the door to the keeper.

Modules: `services` (what each service declares), `access` (decorators on views), `actor` (who is acting),
`cookie` (the encrypted session cookie), `door` (the process's keeper client), `background` (threads).
"""
