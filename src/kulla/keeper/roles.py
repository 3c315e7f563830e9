"""Roles: who an official is, in one office. The portal's pages name them; the rules about them stand here.

citizen       a person for themselves; everybody has it
receptionist  a clerk at a counter: reads the people who come, gives letters, helps them act
registrar     an official of the register's office: decides corrections, families, erasure; reads within budgets
protection    an office's data-protection official: answers questions about looks; opens nobody's data
admin         administers offices and roles within the own subtree; reads no citizens
operator      runs the portal; has no office, reads nobody
"""

CITIZEN, OPERATOR = "citizen", "operator"
RECEPTIONIST, REGISTRAR, PROTECTION, ADMIN = "receptionist", "registrar", "protection", "admin"
ROLES = (CITIZEN, RECEPTIONIST, REGISTRAR, PROTECTION, ADMIN, OPERATOR)
OFFICE_ROLES = (RECEPTIONIST, REGISTRAR, PROTECTION, ADMIN)
READERS = (RECEPTIONIST, REGISTRAR)  # the only ones for whom anybody's data is ever opened
POWER = (REGISTRAR, PROTECTION, ADMIN)  # granted by two people, and only for a time
