"""First names of English novels: whose they are, women's or men's, and the short forms of them that people use."""

from __future__ import annotations

from collections.abc import Mapping

_WOMEN = """
Abigail Ada Adela Adelaide Adele Adeline Agatha Agnes Aileen Albertine Alexandra Alice Alison Alma Althea Amabel
Amanda Amelia Amy Anastasia Angela Angelica Angelina Ann Anna Annabel Anne Annette Annie Antonia Antoinette Arabella
Audrey Augusta Aurora Barbara Beatrice Beatrix Becky Belinda Bella Bertha Bessie Bess Betsy Betsey Betty Beth Biddy
Blanche Bridget Carol Caroline Carrie Cassandra Catherine Cecilia Cecily Celia Charlotte Chloe Christina Christine
Clara Clarissa Claudia Clementina Connie Constance Cora Cordelia Cornelia Cynthia Daisy Daphne Deborah Delia Della
Diana Dinah Dolly Dora Dorcas Doris Dorothea Dorothy Edith Edna Effie Eileen Elaine Eleanor Elena Elinor Eliza
Elizabeth Ella Ellen Elsie Elspeth Elvira Emilia Emily Emma Emmeline Erica Ernestine Esther Estella Ethel Eugenia
Eugenie Eunice Eva Evangeline Eve Evelina Evelyn Fanny Felicia Felicity Flora Florence Frances Francesca Frederica
Georgiana Georgina Geraldine Gertrude Gladys Gloria Grace Greta Gretchen Griselda Gwendolen Gwendolyn Hannah Harriet
Hatty Hattie Hazel Heidi Helen Helena Helene Henrietta Hermione Hester Hetty Hilda Honoria Hope Hyacinth Ida Imogen
Irene Iris Isabel Isabella Isabelle Ivy Jane Janet Jean Jeanne Jemima Jennie Jenny Jessica Jessie Jill Joan Joanna
Josephine Joy Joyce Judith Judy Julia Juliana Juliet Justine Kate Katharine Katherine Kathleen Katie Katy Kitty Laura
Lavinia Leah Lena Leonora Letitia Lettice Lilian Lillian Lily Linda Lisbeth Lise Lizzie Lizzy Lois Lola Lottie Louisa
Louise Lucia Lucilla Lucille Lucinda Lucretia Lucy Lydia Mabel Madeleine Madeline Maggie Maisie Mamie Marcella
Margaret Margarita Margery Margot Maria Mariana Marianne Marie Marina Marion Marjorie Martha Mary Marya Matilda Mattie
Maud Maude May Meg Melissa Mercy Meta Mildred Millicent Mina Minerva Minnie Miranda Miriam Moll Molly Mollie Monica
Muriel Myra Myrtle Nan Nancy Nanny Naomi Natalie Natasha Nell Nellie Nelly Nora Norah Olga Olive Olivia Ophelia Pamela
Patience Patricia Patty Paulina Pauline Pearl Peggy Penelope Phoebe Phyllis Polly Portia Priscilla Prudence Rachel
Rebecca Rhoda Rosa Rosalie Rosalind Rosamond Rosamund Rose Rosemary Rosie Rowena Roxana Ruby Ruth Sabina Sally Sara
Sarah Selina Sibyl Sybil Sonia Sonya Sophia Sophie Sophy Stella Sue Susan Susanna Susannah Susie Sylvia Tabitha Tess
Tessa Theodora Theresa Therese Ursula Valentine Valeria Vanessa Venetia Vera Veronica Victoria Viola Violet Virginia
Vivian Wanda Wilhelmina Winifred Yvonne Zoe Lulu
"""
_MEN = """
Aaron Abel Abner Abraham Absalom Adam Adolphus Adrian Alan Albert Alec Aleck Alexander Alexis Alfred Algernon Allan
Allen Ambrose Amos Anatole Andrew Angel Angus Anselm Anthony Antonio Archibald Archie Arnold Artemus Arthur Asa Aubrey
Augustine Augustus Barnaby Barney Bartholomew Basil Ben Benedict Benjamin Bernard Bertie Bertram Bertrand Bill Billy
Bob Bobby Boris Brian Bruce Bruno Caleb Calvin Casper Cecil Cedric Charles Charley Charlie Chester Christian
Christopher Clarence Claude Clement Clifford Clive Conrad Cornelius Crispin Cuthbert Cyril Dan Daniel David Davy Denis
Dennis Dick Dmitri Dominic Donald Dorian Douglas Duncan Ebenezer Edgar Edmond Edmund Edward Edwin Egbert Eli Elias
Elijah Ephraim Eric Ernest Eugene Eustace Evan Everard Ezekiel Ezra Felix Ferdinand Fergus Fitzwilliam Francis Frank
Frankie Fred Frederic Frederick Gabriel Gavin Geoffrey George Gerald Gerard Gideon Gilbert Giles Godfrey Gregory
Griffith Guy Hal Hannibal Harold Harry Hector Henry Herbert Hercules Herman Hiram Horace Horatio Howard Hubert Hugh
Hugo Humphrey Ian Ichabod Ike Inigo Isaac Ishmael Israel Ivan Jabez Jack Jacob Jake James Jasper Jay Jeff Jeffrey Jem
Jeremiah Jeremy Jerome Jerry Jethro Jim Jimmy Job Joe Joel John Johnny Jonah Jonas Jonathan Joseph Josh Joshua Josiah
Jude Jules Julian Julius Justin Keith Kenneth Kit Lambert Lancelot Larry Laurence Laurie Lawrence Leo Leon Leonard
Leopold Lewis Lionel Lorenzo Louis Lucas Lucian Luke Malcolm Marcus Mark Marmaduke Martin Matthew Maurice Max
Maximilian Michael Mike Miles Montague Mordecai Morris Moses Nathan Nathaniel Ned Neville Nicholas Nick Nicodemus
Nigel Noah Noel Norman Obadiah Oliver Orlando Oscar Oswald Owen Pat Patrick Paul Percival Percy Peregrine Peter Phil
Philip Phineas Pierre Pip Quentin Ralph Randolph Raphael Raymond Reginald Reuben Rex Richard Rob Robert Robin Roderick
Rodney Roger Roland Rollo Ronald Rory Rowland Rudolf Rudolph Rufus Rupert Sam Samson Samuel Saul Seth Sidney Silas
Simeon Simon Sinclair Stanley Stephen Steven Sydney Ted Thaddeus Theobald Theodore Theophilus Thomas Tim Timothy
Tobias Toby Tom Tommy Tony Tristram Uriah Valentine Vasili Victor Vincent Walter Warren Wilfred Wilfrid Will William
Willie Winston Zachariah
"""
_SHORT_FORMS = """
Elizabeth: Lizzy Lizzie Eliza Liza Betsy Betsey Betty Bessie Bess Beth Libby Lisbeth
Catherine: Kitty Cathy Kate Katy Katie Cat
Katharine: Kate Katy Katie Kitty Kathy
Katherine: Kate Katy Katie Kitty Kathy
Margaret: Peggy Meg Maggie Madge Daisy Margie Greta
Mary: Molly Polly Mollie Moll May Minnie Mamie
Anne: Annie Nancy Nan Anna Nanny
Anna: Annie Nancy
Ann: Annie Nancy Nan
Sarah: Sally Sadie Sal
Susan: Sue Susie Sukey
Susannah: Sue Susie Sukey
Frances: Fanny Fan
Dorothy: Dolly Dot Dora
Dorothea: Dodo Dolly
Harriet: Hatty Hattie
Henrietta: Hetty Etta Henny
Hester: Hetty Essie
Helen: Nell Nelly Nellie
Eleanor: Nell Nelly Ellie Nora
Ellen: Nell Nelly Nellie
Rebecca: Becky
Rachel: Ray
Charlotte: Lottie Lotty
Caroline: Carrie Caddy Carry
Isabella: Bella Bell Belle
Isabel: Bel Belle Bella
Arabella: Bella
Amelia: Emmy Milly
Emily: Emmy Em Emly
Emma: Emmy
Josephine: Jo Josie
Jane: Jenny Janey Jennie
Janet: Jenny
Julia: Julie
Georgiana: Georgy
Theresa: Tess Tessa
Teresa: Tess Tessa
Wilhelmina: Mina Minna
Victoria: Vicky
Virginia: Ginny
Matilda: Tilda Tilly
Martha: Patty Matty
Lucilla: Lucy
Sophia: Sophy Sophie
Esther: Hetty Essie
Gertrude: Gerty Trudy
Edith: Edie
Winifred: Winnie
Abigail: Abby Nabby
Barbara: Babs
Cecilia: Cissy Cis
Philippa: Pip
Pamela: Pam
Patricia: Pat Patty
Natalie: Natasha
William: Will Bill Billy Willie Willy
Robert: Bob Bobby Rob Robbie Robin Bertie
Richard: Dick Dicky Rick
Thomas: Tom Tommy
Edward: Ned Ted Teddy Eddie Neddy Eddy
Edmund: Ned
Edwin: Ned
Henry: Harry Hal Hank
Harold: Harry Hal
James: Jim Jimmy Jem Jemmy Jamie
John: Jack Johnny Jock
Jonathan: Jon
Charles: Charley Charlie Chuck
Joseph: Joe Joey Jo Jos
Joshua: Josh
Frederick: Fred Freddy Freddie Fritz
Frederic: Fred Freddy Freddie
Alfred: Alf Fred
Francis: Frank Frankie
Franklin: Frank
George: Georgie Georgy
Samuel: Sam Sammy
Daniel: Dan Danny
David: Davy Dave
Benjamin: Ben Benny
Nicholas: Nick Nicky Nicolas
Nathaniel: Nat
Nathan: Nat
Michael: Mike Mick Mickey
Matthew: Mat Matt
Andrew: Andy
Anthony: Tony
Antony: Tony
Christopher: Kit Chris
Peter: Pete
Philip: Pip Phil
Stephen: Steve
Theodore: Ted Teddy
Timothy: Tim
Tobias: Toby
Walter: Wat Walt
Albert: Bertie Bert Al
Herbert: Bertie Bert
Alexander: Alec Aleck Sandy Alick Alex
Archibald: Archie Archy
Arthur: Artie
Augustus: Gus
Augustine: Gus
Gerald: Gerry
Gilbert: Gil
Gregory: Greg
Hugh: Hughie
Isaac: Ike
Jeremiah: Jerry
Jeremy: Jerry
Lawrence: Larry Laurie
Laurence: Larry Laurie
Leonard: Len
Lewis: Lew
Patrick: Pat Paddy
Percival: Percy
Reginald: Reggie Rex
Ronald: Ron
Sidney: Sid
Sydney: Syd
Solomon: Sol
Victor: Vic
Vincent: Vince
Wilfred: Will Fred
Zachariah: Zach
"""

WOMEN = frozenset(_WOMEN.split())
MEN = frozenset(_MEN.split())


def _bases() -> dict[str, frozenset[str]]:
    bases: dict[str, set[str]] = {}
    for line in _SHORT_FORMS.strip().splitlines():
        base, _, forms = line.partition(":")
        for form in forms.split():
            bases.setdefault(form, set()).add(base)
    return {form: frozenset(found) for form, found in bases.items()}


LONG_FORMS: Mapping[str, frozenset[str]] = _bases()
"""The first names that a short form may stand for."""


def is_womans(first_name: str) -> bool | None:
    """Tell whether a first name is a woman's; None where it may be anybody's."""
    woman, man = first_name in WOMEN, first_name in MEN
    return None if woman == man else woman
